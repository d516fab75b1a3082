# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from PIL import Image

from muscle_mm.reporting.overlays import draw_boxes, draw_masks
from muscle_mm.reporting.predictions import Prediction
from muscle_mm.reporting.style import PREDICTION_COLOUR, TRUTH_COLOUR

FILM = np.full((60, 50), 90, dtype=np.uint8)


def count_pixels(path, colour):
    """Pixels of about a colour."""
    picture = np.asarray(Image.open(path).convert('RGB')).astype(int)
    wanted = np.array(to_rgb(colour)) * 255
    return int((np.abs(picture - wanted).max(axis=-1) < 12).sum())


def mask_prediction(predicted):
    true = torch.zeros(1, 60, 50, dtype=torch.long)
    true[0, 10:40, 10:30] = 1
    sample = SimpleNamespace(
        gt_sem_seg=SimpleNamespace(data=true), pred_sem_seg=SimpleNamespace(data=predicted)
    )
    return Prediction(FILM, 'a_film_with_quite_a_long_name.png', sample, ('background', 'lung'))


@pytest.mark.parametrize('value', [0, 1])
def test_masks_are_outlined_and_empty_predictions_do_not_fail(tmp_path, value):
    shifted = torch.full((1, 60, 50), value)
    rows = {'R18 Scratch': [mask_prediction(shifted)] * 2, 'R18 MUSCLE': [mask_prediction(shifted)]}
    draw_masks(rows, tmp_path / 'masks.png')
    assert count_pixels(tmp_path / 'masks.png', TRUTH_COLOUR) > 500


def test_boxes_are_drawn_with_their_scores(tmp_path):
    sample = SimpleNamespace(
        pred_instances=SimpleNamespace(
            bboxes=torch.tensor([[5.0, 5, 20, 20], [20, 20, 40, 50]]),
            labels=torch.tensor([0, 1]),
            scores=torch.tensor([0.9, 0.1]),
        ),
        metainfo={'instances': [{'bbox': [6, 6, 22, 22], 'bbox_label': 0, 'ignore_flag': 0}]},
    )
    prediction = Prediction(FILM, 'film.png', sample, ('active', 'latent'))
    draw_boxes({'R18 MUSCLE': [prediction]}, tmp_path / 'boxes.png')
    for colour in (TRUTH_COLOUR, PREDICTION_COLOUR):
        assert count_pixels(tmp_path / 'boxes.png', colour) > 300

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from mmengine.structures import InstanceData
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


def box_prediction(corners, labels, scores):
    sample = SimpleNamespace(
        pred_instances=InstanceData(
            bboxes=torch.tensor(corners).float(),
            labels=torch.tensor(labels),
            scores=torch.tensor(scores),
        ),
        metainfo={'instances': [{'bbox': [6, 6, 22, 22], 'bbox_label': 0, 'ignore_flag': 0}]},
    )
    return Prediction(FILM, 'film.png', sample, ('active', 'latent'))


def test_boxes_are_drawn_with_their_scores(tmp_path):
    prediction = box_prediction([[5, 5, 20, 20], [20, 20, 40, 50]], [0, 1], [0.9, 0.1])
    draw_boxes({'R18 MUSCLE': [prediction]}, tmp_path / 'boxes.png')
    for colour in (TRUTH_COLOUR, PREDICTION_COLOUR):
        assert count_pixels(tmp_path / 'boxes.png', colour) > 300


def test_of_many_boxes_the_best_are_drawn(tmp_path):
    corners = [[x, 5, x + 6, 20] for x in range(2, 38, 6)]
    scores = [0.4, 0.9, 0.8, 0.5, 0.7, 0.6]
    best = [1, 2, 4, 5]
    pictures = {
        'all': box_prediction(corners, [0] * 6, scores),
        'best': box_prediction([corners[i] for i in best], [0] * 4, [scores[i] for i in best]),
        'fewer': box_prediction([corners[i] for i in best[1:]], [0] * 3, [0.8, 0.7, 0.6]),
    }
    pixels = {}
    for name, prediction in pictures.items():
        draw_boxes({'R18 MUSCLE': [prediction]}, tmp_path / f'{name}.png')
        pixels[name] = count_pixels(tmp_path / f'{name}.png', PREDICTION_COLOUR)
    assert pixels['all'] == pixels['best'] > pixels['fewer']

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from mmengine.structures import InstanceData
from PIL import Image

from muscle_mm.prediction.film_reader import ReadFilm
from muscle_mm.prediction.pixel_spacing import PixelSpacing
from muscle_mm.prediction.task_outputs import build_output
from muscle_mm.prediction.trained_model import TrainedModel
from muscle_mm.reporting.style import PREDICTION_COLOUR, TRUTH_COLOUR
from muscle_mm.utils.errors import UserError

PIPELINE = [dict(type='muscle_mm.LoadXray'), dict(type='mmpretrain.Resize')]


def trained_model(kind, classes, count=None, pipeline=PIPELINE):
    """What the outputs need of a model."""
    head = SimpleNamespace(num_classes=count or len(classes))
    model = SimpleNamespace(head=head, decode_head=head)
    return TrainedModel(model, kind, classes, pipeline, 0.5, Path('x.pth'))


def count_pixels(path, colour):
    """Pixels of about a colour."""
    picture = np.asarray(Image.open(path).convert('RGB')).astype(int)
    wanted = np.array(to_rgb(colour)) * 255
    return int((np.abs(picture - wanted).max(axis=-1) < 12).sum())


@pytest.fixture
def film(film_file):
    """A film of 60 rows and 40 columns, shown at half its size."""
    shown = np.full((30, 20), 90, np.uint8)
    packed = {'inputs': torch.zeros(1, 8, 8, dtype=torch.uint8)}
    return ReadFilm(film_file('a$b$.png'), '', shown, (60, 40), packed)


def scored(*scores):
    return SimpleNamespace(pred_score=torch.tensor(scores))


@pytest.mark.parametrize(
    ('threshold', 'score', 'expected'),
    [(None, 0.5, 'ill'), (None, 0.4375, 'well'), (0.25, 0.25, 'ill'), (0.75, 0.6875, 'well')],
)
def test_the_threshold_is_for_class_1_and_included(film, threshold, score, expected):
    output = build_output(trained_model('classification', ('well', 'ill')), threshold)
    record = output.record(scored(1 - score, score), film)
    assert record == {'class': expected, 'probabilities': {'well': 1 - score, 'ill': score}}
    assert output.about == {'positive_class': 'ill', 'threshold': threshold or 0.5}
    assert set(output.rows(record)[0]) == set(output.columns)


def test_of_more_classes_the_most_probable_is_chosen(film):
    trained = trained_model('classification', ('a',), count=3)
    output = build_output(trained)
    assert output.record(scored(0.2, 0.3, 0.5), film)['class'] == 'class 2'
    assert output.about == {}
    with pytest.raises(UserError, match='the model has 3'):
        build_output(trained, threshold=0.5)


def test_probabilities_that_are_no_numbers_are_one_message(film):
    output = build_output(trained_model('classification', ('a', 'b')))
    with pytest.raises(UserError, match=r'x\.pth predicts no finite probabilities for a\$b\$\.png'):
        output.record(scored(float('nan'), float('nan')), film)


@pytest.mark.parametrize('heat', [None, torch.zeros(2, 2), torch.eye(2)])
def test_a_class_is_drawn_with_or_without_a_heat_map(film, heat, tmp_path):
    output = build_output(trained_model('classification', ('a', 'b')), 0.75)
    record = output.record(scored(0.0, 1.0), film)
    output.draw(scored(0.0, 1.0), record, film, heat, tmp_path / 'deep/down.png')
    panels = 1 if heat is None else 2
    assert Image.open(tmp_path / 'deep/down.png').width == panels * 480


def test_a_film_that_is_cut_has_no_heat_map():
    pipeline = [*PIPELINE, dict(type='mmpretrain.CenterCrop', crop_size=8)]
    output = build_output(trained_model('classification', ('a', 'b'), pipeline=pipeline))
    assert output.heat_maps([scored(0.5, 0.5)], torch.zeros(1, 3, 8, 8)) == [None]


def masked(mask):
    return SimpleNamespace(pred_sem_seg=SimpleNamespace(data=torch.from_numpy(mask)[None]))


def test_areas_in_pixels_shares_and_square_millimetres(film, tmp_path):
    mask = np.zeros((60, 40), np.int64)
    mask[:30, :10] = 1
    output = build_output(trained_model('segmentation', ('background', 'lung')))
    spacing = PixelSpacing(0.5, 0.25, 'PixelSpacing')
    measured = ReadFilm(film.file, '', film.shown, film.size, film.packed, spacing)
    record = output.record(masked(mask), measured)
    assert record['areas'] == {'lung': {'pixels': 300, 'fraction': 0.125, 'mm2': 37.5}}
    row = output.rows(record)[0]
    assert (row['area_mm2_lung'], row['spacing']) == ('37.5', 'PixelSpacing')
    unknown = output.rows(output.record(masked(mask), film))[0]
    assert (unknown['area_mm2_lung'], unknown['spacing']) == ('', '')
    assert {*row, 'mask'} == set(output.columns)
    written = output.save(masked(mask), film, tmp_path)
    np.testing.assert_array_equal(Image.open(tmp_path / written['mask']), 255 * mask)


def test_several_classes_keep_their_numbers(film, tmp_path):
    mask = np.zeros((60, 40), np.int64)
    mask[10:20], mask[30:50] = 1, 2
    output = build_output(trained_model('segmentation', ('background', 'lung', 'heart')))
    assert output.about == {'mask_values': {'lung': 1, 'heart': 2}}
    written = output.save(masked(mask), film, tmp_path)
    np.testing.assert_array_equal(Image.open(tmp_path / written['mask']), mask)
    output.draw(masked(mask), output.record(masked(mask), film), film, None, tmp_path / 'x.png')
    assert (tmp_path / 'x.png').stat().st_size > 0


@pytest.mark.parametrize('inside', ['nothing', 'part', 'all'])
def test_a_mask_is_outlined_also_along_the_edge(film, inside, tmp_path):
    mask = np.full((60, 40), int(inside == 'all'))
    mask[20:40, 10:30] |= inside == 'part'
    output = build_output(trained_model('segmentation', ('background', 'lung')))
    record = output.record(masked(mask), film)
    output.draw(masked(mask), record, film, None, tmp_path / 'x.png')
    drawn = count_pixels(tmp_path / 'x.png', PREDICTION_COLOUR)
    assert (drawn > 500) == (inside != 'nothing')


def found(*boxes):
    """mmdet's data sample; a box is (x1, y1, x2, y2, label, score)."""
    values = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 6)
    return SimpleNamespace(
        pred_instances=InstanceData(
            bboxes=values[:, :4], labels=values[:, 4].long(), scores=values[:, 5]
        )
    )


def test_boxes_in_order_of_score_and_no_row_less_than_one(film, tmp_path):
    output = build_output(
        trained_model('detection', ('active', 'latent')), None, score_threshold=0.25
    )
    sample = found((1, 2, 30, 40, 0, 0.25), (5, 5, 20, 50, 1, 0.75), (0, 0, 9, 9, 0, 0.125))
    record = output.record(sample, film)
    assert [(box['class'], box['score']) for box in record['boxes']] == [
        ('latent', 0.75),
        ('active', 0.25),
    ]
    assert [box['x2'] for box in record['boxes']] == [20, 30]
    rows = output.rows(record)
    assert [row['boxes'] for row in rows] == [2, 2]
    assert set(rows[0]) == set(output.columns)
    assert output.rows(output.record(found(), film)) == [{'boxes': 0}]
    output.draw(sample, record, film, None, tmp_path / 'x.png')
    for colour in (PREDICTION_COLOUR, TRUTH_COLOUR):
        assert count_pixels(tmp_path / 'x.png', colour) > 200


def test_a_threshold_for_films_does_not_fit_boxes():
    with pytest.raises(UserError, match='--score-threshold'):
        build_output(trained_model('detection', ('a',)), threshold=0.5)

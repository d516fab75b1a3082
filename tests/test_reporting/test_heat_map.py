# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json

import pytest
from PIL import Image

from muscle_mm.evaluation import ScoreMatrix
from muscle_mm.reporting.heat_map import draw_heat_map
from muscle_mm.schedule import make_visits

ROUNDS = [(80, 40), (60, 70), (85, float('nan')), (75, 72)]


@pytest.mark.parametrize('before', [True, False])
def test_draws_scores_with_gaps(tmp_path, before):
    matrix = ScoreMatrix(
        ['lung', 'knee'], make_visits(dict(lung=3, knee=2, other=1), rounds=2, seed=1)
    )
    if before:
        matrix.note_before(dict(lung=50, knee=30))
    for visit, (lung, knee) in zip((0, 2, 3, 5), ROUNDS, strict=True):
        matrix.note(visit, dict(lung=lung, knee=knee))
    scores = tmp_path / 'continual_scores.json'
    scores.write_text(json.dumps(matrix.to_json()))
    assert draw_heat_map(scores, tmp_path / 'map.png', {'lung': 'Lung'})
    picture = Image.open(tmp_path / 'map.png').convert('L')
    assert picture.width > 300
    assert picture.getextrema()[0] < 100


def test_without_scores_there_is_no_picture(tmp_path):
    scores = tmp_path / 'continual_scores.json'
    assert not draw_heat_map(scores, tmp_path / 'map.png')
    matrix = ScoreMatrix(['lung'], make_visits(dict(lung=3), rounds=1))
    scores.write_text(json.dumps(matrix.to_json()))
    assert not draw_heat_map(scores, tmp_path / 'map.png')
    assert not (tmp_path / 'map.png').exists()

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json
import math

import numpy as np
import pytest

from muscle_mm.evaluation import ScoreMatrix
from muscle_mm.schedule import make_visits

TASKS = ['lung', 'knee']
VISITS = make_visits(dict(lung=3, knee=2), rounds=2, reshuffle=False)
ROUNDS = [(80, 40), (60, 70), (85, 65), (75, 72)]


def scores(lung, knee):
    return dict(lung=lung, knee=knee)


@pytest.fixture
def matrix():
    matrix = ScoreMatrix(TASKS, VISITS)
    matrix.note_before(scores(50, 30))
    for visit, row in enumerate(ROUNDS):
        matrix.note(visit, scores(*row))
    return matrix


def test_measures_of_the_last_visit(matrix):
    assert matrix.summary() == dict(
        average_performance=73.5,
        relative_performance=pytest.approx(100 * (75 / 85 + 1) / 2),
        forgetting=10,
        backward_transfer=-10,
        forward_transfer=10,
    )
    per_task = matrix.per_task()
    assert per_task['lung']['forgetting'] == 10
    assert math.isnan(per_task['knee']['forgetting'])  # just trained
    assert per_task['knee']['score'] == 72
    assert matrix.best_visit() == 2


def test_before_the_first_visit_nothing_is_defined():
    matrix = ScoreMatrix(TASKS, VISITS)
    matrix.note_before(scores(50, 30))
    assert all(math.isnan(value) for value in matrix.summary().values())
    content = matrix.to_json()
    assert (content['visits'], content['per_task'], content['best_visit']) == ([], {}, None)
    assert content['before'] == scores(50, 30)


def test_an_average_with_an_untrained_task_is_not_defined():
    matrix = ScoreMatrix(TASKS, VISITS)
    matrix.note(0, scores(99, 99))
    assert math.isnan(matrix.summary()['average_performance'])
    assert matrix.best_visit() is None
    matrix.note(1, scores(60, 70))
    assert matrix.summary()['average_performance'] == 65
    assert matrix.best_visit() == 1


def test_a_second_note_of_a_visit_replaces_the_first(matrix):
    matrix.note(3, scores(75, 72))
    assert len(matrix.to_json()['visits']) == 4
    np.testing.assert_array_equal(matrix.values(), ROUNDS)


def test_json_has_no_nan_and_the_whole_schedule():
    matrix = ScoreMatrix(TASKS, VISITS)
    matrix.note(1, scores(float('nan'), 70))  # of the first round alone the end was validated
    matrix.note(2, scores(85, 65))
    content = json.loads(json.dumps(matrix.to_json(), allow_nan=False))
    assert [row['visit'] for row in content['visits']] == [1, 2]
    assert content['visits'][0] == dict(
        visit=1, round=0, task='knee', scores=dict(lung=None, knee=70.0)
    )
    assert content['schedule'][-1] == dict(visit=3, round=1, task='knee', end=10)
    assert content['summary'] == dict(
        average_performance=75.0,
        relative_performance=pytest.approx(100 * (1 + 65 / 70) / 2),
        forgetting=5.0,
        backward_transfer=-5.0,
        forward_transfer=None,
    )
    assert content['best_visit'] == 2


def test_a_resumed_run_keeps_the_scores(matrix):
    state = json.loads(json.dumps(matrix.state_dict()))
    resumed = ScoreMatrix(TASKS, VISITS)
    resumed.load_state_dict(state)
    assert resumed.to_json() == matrix.to_json()
    more = ScoreMatrix([*TASKS, 'chest'], VISITS)
    more.load_state_dict(state)
    assert np.isnan(more.values()[:, 2]).all()


def test_a_task_without_score_has_no_column(matrix):
    partial = ScoreMatrix(['knee'], VISITS)
    for visit, row in enumerate(ROUNDS[:3]):
        partial.note(visit, scores(*row))
    # two other visits of lung: after the latest of them, knee has lost five points
    assert partial.summary()['forgetting'] == 5

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from muscle_mm.evaluation import (
    average_performance,
    backward_transfer,
    backward_transfer_per_task,
    forgetting,
    forgetting_per_task,
)

#: one visit for each of three tasks
ONCE = np.array([[90.0, 50, 10], [85, 80, 20], [70, 84, 60]])
#: two rounds over two tasks
ROUNDS = np.array([[80.0, 40], [60, 70], [85, 65], [75, 72]])


def test_average_performance_is_the_mean_of_the_last_row():
    assert average_performance(ONCE) == pytest.approx((70 + 84 + 60) / 3)


def test_one_round_gives_the_published_definitions():
    np.testing.assert_array_equal(forgetting_per_task(ONCE, [0, 1, 2]), [20, -4, np.nan])
    assert forgetting(ONCE, [0, 1, 2]) == pytest.approx(8)
    np.testing.assert_array_equal(backward_transfer_per_task(ONCE, [0, 1, 2]), [-20, 4, np.nan])
    assert backward_transfer(ONCE, [0, 1, 2]) == pytest.approx(-8)


def test_scores_of_a_task_before_its_first_visit_are_not_forgotten():
    scores = np.array([[80.0, 99], [80, 70], [80, 70], [80, 65]])
    np.testing.assert_array_equal(forgetting_per_task(scores, [0, 1, 0, 0]), [np.nan, 5])


def test_rounds_take_the_best_visit_and_the_latest_visit():
    visits = [0, 1, 0, 1]
    np.testing.assert_array_equal(forgetting_per_task(ROUNDS, visits), [10, np.nan])
    np.testing.assert_array_equal(backward_transfer_per_task(ROUNDS, visits), [-10, np.nan])
    visits = [0, 1, 1, 0]
    np.testing.assert_array_equal(forgetting_per_task(ROUNDS, visits), [np.nan, -2])
    np.testing.assert_array_equal(backward_transfer_per_task(ROUNDS, visits), [np.nan, 7])


def test_nothing_is_forgotten_after_a_single_visit():
    assert np.isnan(forgetting(ONCE[:1], [0]))
    assert np.isnan(backward_transfer(ONCE[:1], [0]))


def test_unvisited_tasks_are_left_out():
    assert forgetting(ONCE[:2], [0, 1]) == pytest.approx(5)


def test_a_score_that_is_nan_stays_visible():
    scores = ONCE.copy()
    scores[-1, 0] = np.nan
    assert np.isnan(average_performance(scores))
    assert np.isnan(forgetting(scores, [0, 1, 2]))


@pytest.mark.parametrize(
    ('scores', 'visits', 'message'),
    [
        (np.ones(3), [0], 'shape'),
        (np.ones((2, 3)), [0], '2 rows of scores, but 1 visits'),
        (np.ones((1, 3)), [3], r'visits name the tasks \[3\], but there are 3'),
    ],
)
def test_arguments_that_do_not_fit_are_refused(scores, visits, message):
    with pytest.raises(ValueError, match=message):
        forgetting(scores, visits)

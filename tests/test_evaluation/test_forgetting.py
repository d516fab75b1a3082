# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from muscle_mm.evaluation import (
    average_performance,
    backward_transfer,
    backward_transfer_per_task,
    forgetting,
    forgetting_per_task,
    forward_transfer,
    forward_transfer_per_task,
    relative_performance,
    relative_performance_per_task,
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


def test_forward_transfer_is_the_score_before_the_first_visit_less_that_before_training():
    before = [50.0, 45, 5]
    terms = forward_transfer_per_task(ONCE, [0, 1, 2], before)
    np.testing.assert_array_equal(terms, [np.nan, 5, 15])
    assert forward_transfer(ONCE, [0, 1, 2], before) == pytest.approx(10)
    # the first visit counts, also where rounds follow
    terms = forward_transfer_per_task(ROUNDS, [1, 0, 1, 0], [75, 30])
    np.testing.assert_array_equal(terms, [5, np.nan])
    assert np.isnan(forward_transfer(ONCE[:1], [0], before))
    with pytest.raises(ValueError, match=r'3 tasks, but scores before of \(2,\)'):
        forward_transfer(ONCE, [0, 1, 2], [1, 2])


def test_relative_performance_is_in_percent_of_each_tasks_own_best():
    terms = relative_performance_per_task(ONCE, [0, 1, 2])
    np.testing.assert_allclose(terms, [100 * 70 / 90, 100, 100])
    assert relative_performance(ONCE, [0, 1, 2]) == pytest.approx((100 * 70 / 90 + 200) / 3)
    # nothing before the first visit, and no division by 0
    terms = relative_performance_per_task([[80.0, 99, 0], [40, 50, 0]], [0, 1])
    np.testing.assert_array_equal(terms, [50, 100, np.nan])
    assert np.isnan(relative_performance([[0.0]], [0]))


def test_visits_without_validation_leave_a_lower_bound_of_forgetting():
    scores = np.vstack([ONCE, ONCE])
    scores[[0, 1, 3]] = np.nan  # as with val_interval=3, and one more
    visits = [0, 1, 2, 0, 1, 2]
    np.testing.assert_array_equal(forgetting_per_task(scores, visits), [15, 0, np.nan])
    # task 0 was not validated right after its latest visit
    np.testing.assert_array_equal(backward_transfer_per_task(scores, visits), [np.nan, 4, np.nan])
    assert np.isnan(backward_transfer(scores, visits))
    assert np.isnan(forward_transfer(scores, visits, [0, 0, 0]))


def test_a_visited_task_without_scores_is_left_out():
    scores = np.array([[90.0, 10], [80, 20], [70, 60]])
    assert forgetting(scores, [0, -1, 1]) == 20
    assert forgetting(scores, [0, 1, -1]) == pytest.approx((20 - 40) / 2)
    assert forward_transfer(scores, [0, -1, 1], [50, 5]) == 15


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

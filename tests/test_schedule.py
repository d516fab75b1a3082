# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest

from muscle_mm.schedule import (
    cosine_with_warmup,
    make_visits,
    order_of_round,
    restart_factor,
    visit_at,
)

TASKS = {'pneumonia': 3, 'mura': 4, 'lung': 2, 'tbx': 1}


def test_fixed_order_repeats_the_config():
    visits = make_visits(TASKS, rounds=2, reshuffle=False)
    assert [visit.task for visit in visits] == [*TASKS, *TASKS]
    assert [(visit.begin, visit.end) for visit in visits[:5]] == [
        (0, 3),
        (3, 7),
        (7, 9),
        (9, 10),
        (10, 13),
    ]


def test_reshuffled_rounds_are_a_pure_function_of_seed_and_round():
    orders = [order_of_round(list(TASKS), round, seed=0, reshuffle=True) for round in range(4)]
    assert orders == [
        order_of_round(list(TASKS), round, seed=0, reshuffle=True) for round in range(4)
    ]
    assert all(sorted(order) == sorted(TASKS) for order in orders)
    assert len({tuple(order) for order in orders}) > 1
    assert orders != [
        order_of_round(list(TASKS), round, seed=1, reshuffle=True) for round in range(4)
    ]
    visits = make_visits(TASKS, rounds=4, seed=0)
    assert [visit.task for visit in visits] == [task for order in orders for task in order]


def test_every_iteration_belongs_to_one_visit():
    visits = make_visits(TASKS, rounds=3)
    assert visits[-1].end == 30
    found = [visit_at(visits, iteration) for iteration in range(30)]
    assert [visit for visit in visits for _ in range(visit.length)] == found


@pytest.mark.parametrize('iteration', [-1, 30])
def test_outside_the_schedule(iteration):
    with pytest.raises(IndexError, match=r'outside the schedule \(0\.\.29\)'):
        visit_at(make_visits(TASKS, rounds=3), iteration)


@pytest.mark.parametrize(
    ('tasks', 'rounds', 'message'),
    [
        ({}, 1, 'needs a task and a round'),
        (TASKS, 0, 'rounds=0'),
        ({'lung': 0}, 1, "task 'lung' would be visited for 0 iterations"),
    ],
)
def test_impossible_schedules(tasks, rounds, message):
    with pytest.raises(ValueError, match=message):
        make_visits(tasks, rounds)


def test_cosine_with_warmup():
    curve = [cosine_with_warmup(step, 10, warmup=2, end_factor=0.1) for step in range(11)]
    assert curve[:3] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert curve[2:] == sorted(curve[2:], reverse=True)
    assert curve[10] == pytest.approx(0.1)
    assert cosine_with_warmup(0, 1, warmup=5, end_factor=0.0) == 1.0


def test_restart_factor_starts_again_and_shrinks_by_round():
    visits = make_visits({'a': 10, 'b': 10}, rounds=2, reshuffle=False)
    factors = [restart_factor(i, visits, 0, 0.0, round_decay=0.5) for i in range(41)]
    assert [factors[visit.begin] for visit in visits] == [1.0, 1.0, 0.5, 0.5]
    assert factors[9] < 0.05
    assert factors[40] == pytest.approx(0.0)


def test_orders_and_places_are_these_and_no_others():
    """A checkpoint is resumed by evaluating the schedule: it must not change between versions."""
    visits = make_visits({'pneumonia': 4, 'mura': 7, 'lung': 1, 'tbx': 2}, rounds=3, seed=0)
    assert [(v.round, v.task, v.begin, v.end) for v in visits] == [
        (0, 'lung', 0, 1),
        (0, 'pneumonia', 1, 5),
        (0, 'mura', 5, 12),
        (0, 'tbx', 12, 14),
        (1, 'tbx', 14, 16),
        (1, 'pneumonia', 16, 20),
        (1, 'lung', 20, 21),
        (1, 'mura', 21, 28),
        (2, 'lung', 28, 29),
        (2, 'mura', 29, 36),
        (2, 'pneumonia', 36, 40),
        (2, 'tbx', 40, 42),
    ]
    assert order_of_round(['a', 'b', 'c'], round=0, seed=7, reshuffle=True) == ['a', 'c', 'b']


def test_one_task_and_one_iteration_are_a_schedule():
    visits = make_visits({'lung': 1}, rounds=2)
    assert [(v.round, v.begin, v.end) for v in visits] == [(0, 0, 1), (1, 1, 2)]
    factors = [restart_factor(i, visits, 10, 0.01, round_decay=0.5) for i in range(2)]
    assert factors == [1.0, 0.5]


def test_exact_factors_with_restarts_and_shrinking_peaks():
    visits = make_visits({'a': 5, 'b': 2}, rounds=2, reshuffle=False)
    factors = [restart_factor(i, visits, 1, 0.1, round_decay=0.7) for i in range(14)]
    fifth = 0.1 + 0.9 * 0.5 * (1 + 0.5**0.5)  # cosine at a quarter
    sixth = 0.1 + 0.9 * 0.5 * (1 - 0.5**0.5)  # and at three quarters
    first = [0.5, 1.0, fifth, 0.55, sixth, 0.5, 1.0]
    assert factors == pytest.approx(first + [0.7 * factor for factor in first])

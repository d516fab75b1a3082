# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from muscle_mm.engine import CyclicRestartLR
from muscle_mm.schedule import cosine_with_warmup, make_visits
from muscle_mm.utils.errors import UserError

VISITS = make_visits({'a': 5, 'b': 2}, rounds=2, reshuffle=False)


def rates(steps=14, visits=VISITS, **arguments):
    """Step a scheduler as the runner does."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.2)
    scheduler = CyclicRestartLR(optimizer, warmup_iters=0, **arguments)
    scheduler.follow(visits)
    seen = []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        scheduler.step()
    return seen


def curve(length, peak):
    return [peak * cosine_with_warmup(step, length, 0, 0.01) for step in range(length)]


def test_restarts_with_each_visit_and_shrinks_with_each_round():
    expected = curve(5, 0.2) + curve(2, 0.2) + curve(5, 0.1) + curve(2, 0.1)
    assert rates(round_decay=0.5) == pytest.approx(expected)


def test_without_restarts_one_curve_spans_all_rounds():
    seen = rates(restart=False, round_decay=0.5)
    assert seen == pytest.approx(curve(14, 0.2))
    assert seen == sorted(seen, reverse=True)


def test_after_the_end_the_curves_end_holds():
    assert rates(16)[14:] == pytest.approx([0.01 * 0.2] * 2)


@pytest.mark.parametrize('restart', [True, False])
def test_a_task_can_have_a_factor_of_its_own(restart):
    plain = rates(restart=restart)
    tasks = [visit.task for visit in VISITS for _ in range(visit.length)]
    expected = [
        rate * (0.25 if task == 'b' else 1) for rate, task in zip(plain, tasks, strict=True)
    ]
    assert rates(restart=restart, task_factors=dict(b=0.25)) == pytest.approx(expected)


def test_a_factor_of_no_task_is_refused():
    with pytest.raises(UserError, match=r"task_factors names \['c'\], .* schedule: \['a', 'b'\]"):
        rates(task_factors=dict(c=1.0))


@pytest.mark.parametrize('factor', [0, -0.5])
def test_a_factor_that_is_not_positive_is_refused(factor):
    with pytest.raises(UserError, match=rf"task_factors\['b'\]={factor}: must be above 0"):
        rates(task_factors=dict(b=factor))

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The cyclic and reshuffled schedule, as pure functions.

A *visit* trains one task for some iterations. A *round* visits every task once. Everything here is
a function of its arguments: to resume at an iteration is to evaluate the schedule there. The paper
names the schedule (MUSCLE, MICCAI 2022, section 2) without its details; rounds, visits and the
shape of the learning rate are our choice.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Visit:
    """One task's turn.

    Args:
        index (int): Position among all visits, from 0.
        round (int): Round that it belongs to, from 0.
        task (str): The task's name.
        begin (int): First iteration.
        end (int): First iteration after it.
    """

    index: int
    round: int
    task: str
    begin: int
    end: int

    @property
    def length(self) -> int:
        """int: Number of iterations."""
        return self.end - self.begin


def order_of_round(tasks: Sequence[str], round: int, seed: int, reshuffle: bool) -> list[str]:
    """Order in which a round visits the tasks.

    Args:
        tasks (Sequence[str]): Task names, in the config's order.
        round (int): The round, from 0.
        seed (int): Seed of the schedule.
        reshuffle (bool): Whether each round has an order of its own; otherwise the config's order.

    Returns:
        list[str]: Every task once.
    """
    if not reshuffle:
        return list(tasks)
    permutation = np.random.default_rng([seed, round]).permutation(len(tasks))
    return [tasks[position] for position in permutation]


def make_visits(
    iters_per_visit: Mapping[str, int], rounds: int, seed: int = 0, reshuffle: bool = True
) -> tuple[Visit, ...]:
    """Lay out all visits.

    Args:
        iters_per_visit (Mapping[str, int]): Iterations of one visit, for each task.
        rounds (int): Number of rounds.
        seed (int): Seed of the schedule. Defaults to 0.
        reshuffle (bool): Whether each round has an order of its own. Defaults to True.

    Returns:
        tuple[Visit, ...]: The visits in time order, without gaps.

    Raises:
        ValueError: If there is no task or no round, or a visit has no iteration.
    """
    if not iters_per_visit or rounds < 1:
        raise ValueError(
            f'a schedule needs a task and a round: tasks={sorted(iters_per_visit)}, '
            f'rounds={rounds}.'
        )
    for task, length in iters_per_visit.items():
        if length < 1:
            raise ValueError(f'task {task!r} would be visited for {length} iterations; needs 1.')
    visits: list[Visit] = []
    begin = 0
    for round in range(rounds):
        for task in order_of_round(list(iters_per_visit), round, seed, reshuffle):
            end = begin + iters_per_visit[task]
            visits.append(Visit(len(visits), round, task, begin, end))
            begin = end
    return tuple(visits)


def visit_at(visits: Sequence[Visit], iteration: int) -> Visit:
    """Find the visit that an iteration belongs to.

    Args:
        visits (Sequence[Visit]): All visits.
        iteration (int): Iteration, from 0.

    Returns:
        Visit: The visit with ``begin <= iteration < end``.

    Raises:
        IndexError: If the iteration lies outside the schedule.
    """
    if not 0 <= iteration < visits[-1].end:
        raise IndexError(
            f'iteration {iteration} is outside the schedule (0..{visits[-1].end - 1}).'
        )
    return visits[bisect_right(visits, iteration, key=lambda visit: visit.begin) - 1]


def cosine_with_warmup(step: int, length: int, warmup: int, end_factor: float) -> float:
    """Learning-rate factor that rises linearly and falls along a cosine.

    Args:
        step (int): Iteration within the curve, from 0.
        length (int): Iterations of the whole curve.
        warmup (int): Iterations until the peak, cut to half the length.
        end_factor (float): Factor at the curve's end.

    Returns:
        float: Factor in (0, 1].
    """
    warmup = min(warmup, length // 2)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    progress = min((step - warmup) / max(length - warmup, 1), 1.0)
    return end_factor + (1 - end_factor) * 0.5 * (1 + math.cos(math.pi * progress))


def restart_factor(
    iteration: int, visits: Sequence[Visit], warmup: int, end_factor: float, round_decay: float
) -> float:
    """Learning-rate factor that restarts with each visit.

    Args:
        iteration (int): Iteration, from 0; after the last visit the last value holds.
        visits (Sequence[Visit]): All visits.
        warmup (int): Iterations of linear warm-up in each visit.
        end_factor (float): Factor at a visit's end, relative to its peak.
        round_decay (float): Factor by which the peak shrinks from round to round.

    Returns:
        float: Factor of the base learning rate.
    """
    visit = visit_at(visits, min(iteration, visits[-1].end - 1))
    within = cosine_with_warmup(iteration - visit.begin, visit.length, warmup, end_factor)
    return round_decay**visit.round * within

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What a continual training run knows of its tasks' scores."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from muscle_mm.evaluation.forgetting import (
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
from muscle_mm.schedule import Visit

#: The measures of a whole run, in the order of a report.
MEASURES = (
    'average_performance',
    'relative_performance',
    'forgetting',
    'backward_transfer',
    'forward_transfer',
)


class ScoreMatrix:
    """Scores of all tasks after each validated visit, and the measures drawn from them.

    Every score is in percent and higher is better, whatever the metric (AUC, Dice, mAP). The
    measures of ``muscle_mm.evaluation.forgetting`` take their points as they are; beside them,
    ``relative_performance`` relates each task to its own best.

    Args:
        tasks (Sequence[str]): Tasks that have a score.
        visits (Sequence[Visit]): All visits of the schedule.
    """

    def __init__(self, tasks: Sequence[str], visits: Sequence[Visit]) -> None:
        self.tasks = list(tasks)
        self.visits = tuple(visits)
        self._rows: dict[int, dict[str, float]] = {}
        self._before: dict[str, float] | None = None

    def note_before(self, scores: Mapping[str, float]) -> None:
        """Note the scores before the first visit.

        Args:
            scores (Mapping[str, float]): One score a task; NaN where there is none.
        """
        self._before = {task: float(scores[task]) for task in self.tasks}

    def note(self, visit: int, scores: Mapping[str, float]) -> None:
        """Note the scores after a visit; a second note of the same visit replaces the first.

        Args:
            visit (int): Index of the visit.
            scores (Mapping[str, float]): One score a task; NaN where there is none.
        """
        self._rows[visit] = {task: float(scores[task]) for task in self.tasks}

    def values(self) -> np.ndarray:
        """Lay out the scores up to the last validated visit.

        Returns:
            np.ndarray: Float, shape (visits, tasks); NaN where nothing is known.
        """
        last = max(self._rows, default=-1)
        matrix = np.full((last + 1, len(self.tasks)), np.nan)
        for visit, scores in self._rows.items():
            matrix[visit] = [scores[task] for task in self.tasks]
        return matrix

    def summary(self) -> dict[str, float]:
        """Measure the run up to the last validated visit.

        Returns:
            dict[str, float]: ``average_performance``, ``relative_performance``, ``forgetting``,
                ``backward_transfer`` and ``forward_transfer``, as functions of these names in
                ``muscle_mm.evaluation.forgetting`` define them; NaN where it is not defined, and
                the average as long as a task has not been trained.
        """
        matrix = self.values()
        if not len(matrix):
            return dict.fromkeys(MEASURES, math.nan)
        visited = self._visited(len(matrix))
        return {
            'average_performance': self._average(len(matrix) - 1),
            'relative_performance': relative_performance(matrix, visited),
            'forgetting': forgetting(matrix, visited),
            'backward_transfer': backward_transfer(matrix, visited),
            'forward_transfer': forward_transfer(matrix, visited, self._baseline()),
        }

    def per_task(self) -> dict[str, dict[str, float]]:
        """Measure each task on its own.

        Returns:
            dict[str, dict[str, float]]: For each task ``score`` after the last validated visit, and
                the terms of the means in :meth:`summary`; NaN where one is not defined.
        """
        matrix = self.values()
        if not len(matrix):
            return {}
        visited = self._visited(len(matrix))
        columns = {
            'score': matrix[-1],
            'relative_performance': relative_performance_per_task(matrix, visited),
            'forgetting': forgetting_per_task(matrix, visited),
            'backward_transfer': backward_transfer_per_task(matrix, visited),
            'forward_transfer': forward_transfer_per_task(matrix, visited, self._baseline()),
        }
        return {
            task: {name: float(column[place]) for name, column in columns.items()}
            for place, task in enumerate(self.tasks)
        }

    def best_visit(self) -> int | None:
        """Find the validated visit with the highest average performance.

        Returns:
            int | None: Its index, the first of several; None if no average is defined.
        """
        averages = {visit: self._average(visit) for visit in sorted(self._rows)}
        known = [visit for visit, average in averages.items() if not math.isnan(average)]
        return max(known, key=averages.__getitem__, default=None)

    def to_json(self) -> dict[str, Any]:
        """Describe everything with the types of JSON.

        Returns:
            dict[str, Any]: ``tasks``; ``schedule``, all visits; ``before``, scores before training,
                or None; ``visits``, the validated ones with their scores; ``summary``;
                ``per_task``; ``best_visit``. NaN is None.
        """
        content = {
            'tasks': self.tasks,
            'schedule': [
                {'visit': visit.index, 'round': visit.round, 'task': visit.task, 'end': visit.end}
                for visit in self.visits
            ],
            'before': self._before,
            'visits': [
                {
                    'visit': index,
                    'round': self.visits[index].round,
                    'task': self.visits[index].task,
                    'scores': self._rows[index],
                }
                for index in sorted(self._rows)
            ],
            'summary': self.summary(),
            'per_task': self.per_task(),
            'best_visit': self.best_visit(),
        }
        return _without_nan(content)

    def state_dict(self) -> dict[str, Any]:
        """Save the scores for a resumed run, as numbers and strings alone.

        Returns:
            dict[str, Any]: The state.
        """
        return {'before': self._before, 'rows': {str(key): row for key, row in self._rows.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore saved scores.

        Args:
            state (Mapping[str, Any]): What ``state_dict`` returned; of a task that had no score
                then, nothing is known.
        """

        def known(scores: Mapping[str, float]) -> dict[str, float]:
            return {task: float(scores.get(task, math.nan)) for task in self.tasks}

        before = state['before']
        self._before = None if before is None else known(before)
        self._rows = {int(visit): known(scores) for visit, scores in state['rows'].items()}

    def _visited(self, count: int) -> list[int]:
        """Column of the trained task of each of the first visits; -1 where it has no score."""
        columns = {task: place for place, task in enumerate(self.tasks)}
        return [columns.get(visit.task, -1) for visit in self.visits[:count]]

    def _average(self, visit: int) -> float:
        """Average performance after a visit; NaN as long as a task has not been trained."""
        if not set(range(len(self.tasks))) <= set(self._visited(visit + 1)):
            return math.nan
        return average_performance([[self._rows[visit][task] for task in self.tasks]])

    def _baseline(self) -> np.ndarray:
        if self._before is None:
            return np.full(len(self.tasks), np.nan)
        return np.array([self._before[task] for task in self.tasks])


def _without_nan(value: Any) -> Any:
    """Replace NaN, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

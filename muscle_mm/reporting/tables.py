# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The published tables: their rows and columns, ours beside the published values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from muscle_mm.reporting.cells import Cell, row_order
from muscle_mm.reporting.labels import MAIN_MEASURES, TASK_TITLES, row_label
from muscle_mm.reporting.published import PUBLISHED

MISSING = '–'  # noqa: RUF001

Row = tuple[str, str]


@dataclass(frozen=True)
class Column:
    """One measure of a task.

    Attributes:
        header (str): What stands above it.
        key (str): The metric's key.
        interval (tuple[str, str], optional): Keys of the limits of its confidence interval.
            Defaults to None.
    """

    header: str
    key: str
    interval: tuple[str, str] | None = None


_BINARY = (
    Column('accuracy', 'binary/accuracy'),
    Column('sensitivity', 'binary/sensitivity'),
    Column('specificity', 'binary/specificity'),
    Column('AUC (95% CI)', 'binary/auc', ('binary/auc_ci_low', 'binary/auc_ci_high')),
)
_COLUMNS = {
    'pneumonia': _BINARY,
    'mura': _BINARY,
    'lung': (Column('Dice', 'segmentation/dice'), Column('mIoU', 'segmentation/miou')),
}


def columns_of(task: str, cells: Sequence[Cell]) -> tuple[Column, ...]:
    """List the columns of a task.

    The classes of a detection task, and all of a task that the paper does not have, are taken from
    the keys of its results.

    Args:
        task (str): The task.
        cells (Sequence[Cell]): All models.

    Returns:
        tuple[Column, ...]: The published columns, in their order.
    """
    if task in _COLUMNS:
        return _COLUMNS[task]
    keys = list(dict.fromkeys(key for cell in cells if cell.task == task for key in cell.metrics))
    if 'detection/map' in keys or not keys:
        classes = [key for key in keys if key.startswith('detection/ap_')]
        if not classes:
            classes = ['detection/ap_active', 'detection/ap_latent']
        names = [key.removeprefix('detection/ap_').replace('_', ' ').title() for key in classes]
        return (
            Column('mAP', 'detection/map'),
            *(Column(f'AP-{name}', key) for name, key in zip(names, classes, strict=True)),
        )
    return tuple(Column(key, key) for key in keys)


class ResultTable:
    """The results of a study in the rows and columns of the published tables.

    All ten published rows are there, whether the study has them or not, and after them others of
    the study.

    Args:
        cells (Sequence[Cell]): The tested models.
        titles (Mapping[str, str], optional): Titles of tasks that replace the published ones.
            Defaults to None.
        intervals (Mapping[tuple[Row, str], tuple[float, float]], optional): Confidence interval of
            the mean of the main measure over the seeds, in percent, by row and task. Defaults to
            None.

    Attributes:
        cells (list[Cell]): The tested models.
        tasks (list[str]): The published tasks, and others of the study.
        titles (dict[str, str]): Title of each task.
        columns (dict[str, tuple[Column, ...]]): Columns of each task.
        rows (list[Row]): Backbone and initialisation of each row.
        intervals (dict): See the arguments.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        titles: Mapping[str, str] | None = None,
        intervals: Mapping[tuple[Row, str], tuple[float, float]] | None = None,
    ) -> None:
        self.cells = list(cells)
        self.tasks = list(dict.fromkeys([*TASK_TITLES, *(cell.task for cell in cells)]))
        self.titles = {task: TASK_TITLES.get(task, task) for task in self.tasks} | dict(
            titles or {}
        )
        self.columns = {task: columns_of(task, cells) for task in self.tasks}
        self.rows: list[Row] = sorted({*PUBLISHED, *(cell.row for cell in cells)}, key=row_order)
        self.intervals = dict(intervals or {})

    @property
    def backbones(self) -> list[str]:
        """list[str]: Label of each backbone, one table each."""
        return list(dict.fromkeys(row[0] for row in self.rows))

    @property
    def seeds(self) -> list[int]:
        """list[int]: All seeds of the study."""
        return sorted({cell.seed for cell in self.cells})

    def models(self, row: Row, task: str) -> list[Cell]:
        """List the models of a row and task.

        Args:
            row (Row): Backbone and initialisation.
            task (str): The task.

        Returns:
            list[Cell]: One for each seed.
        """
        return [cell for cell in self.cells if cell.row == row and cell.task == task]

    def values(self, row: Row, task: str, key: str) -> list[float]:
        """List a measure of all seeds.

        Args:
            row (Row): Backbone and initialisation.
            task (str): The task.
            key (str): The metric's key.

        Returns:
            list[float]: In percent; empty where it is missing.
        """
        return [cell.metrics[key] for cell in self.models(row, task) if key in cell.metrics]

    def value(self, row: Row, task: str, key: str) -> float | None:
        """Mean of a measure over the seeds.

        Args:
            row (Row): Backbone and initialisation.
            task (str): The task.
            key (str): The metric's key.

        Returns:
            float | None: In percent; None where it is missing.
        """
        values = self.values(row, task, key)
        return mean(values) if values else None

    def spread(self, row: Row, task: str, key: str) -> float | None:
        """Standard deviation of a measure over the seeds (of a sample, divisor n - 1).

        Args:
            row (Row): Backbone and initialisation.
            task (str): The task.
            key (str): The metric's key.

        Returns:
            float | None: In points of percent; None with fewer than two seeds, or where a seed's
            measure is NaN.
        """
        values = self.values(row, task, key)
        if len(values) < 2 or any(math.isnan(value) for value in values):
            return None
        return stdev(values)

    def interval(self, row: Row, task: str, column: Column) -> tuple[float, float] | None:
        """Confidence interval of a measure.

        With one seed the metric's own, else the one of the mean over the seeds.

        Args:
            row (Row): Backbone and initialisation.
            task (str): The task.
            column (Column): The measure.

        Returns:
            tuple[float, float] | None: Limits in percent; None where there is none.
        """
        models = self.models(row, task)
        if column.interval and len(models) == 1:
            low, high = (models[0].metrics.get(key, math.nan) for key in column.interval)
            if not math.isnan(low + high):
                return low, high
        if column.key == main_column(self.columns[task]).key:
            return self.intervals.get((row, task))
        return None

    def text_of(self, row: Row, task: str, column: Column) -> str:
        """Write a measure.

        Args:
            row (Row): Backbone and initialisation.
            task (str): The task.
            column (Column): The measure.

        Returns:
            str: For example ``'96.58 (95.09-97.81)'``, of several seeds ``'96.58 ± 0.31
            (95.09-97.81)'``, or ``MISSING``.
        """
        value = self.value(row, task, column.key)
        if value is None:
            return MISSING
        text = f'{value:.2f}'
        spread = self.spread(row, task, column.key)
        if spread is not None:
            text += f' ± {spread:.2f}'
        interval = self.interval(row, task, column) if column.interval else None
        return text if interval is None else f'{text} ({interval[0]:.2f}-{interval[1]:.2f})'

    def published_text(self, row: Row, task: str, column: Column) -> str:
        """Write the published value of a measure.

        Args:
            row (Row): Backbone and initialisation.
            task (str): The task.
            column (Column): The measure.

        Returns:
            str: For example ``'96.58 (95.09-97.81)'``; ``MISSING`` where none was published.
        """
        values = PUBLISHED.get(row, {}).get(task, {})
        if column.key not in values:
            return MISSING
        text = f'{values[column.key]:.2f}'
        if column.interval:
            low, high = (values[key] for key in column.interval)
            text += f' ({low:.2f}-{high:.2f})'
        return text


def main_column(columns: Sequence[Column]) -> Column:
    """Choose the column that stands for a task.

    Args:
        columns (Sequence[Column]): The columns of the task.

    Returns:
        Column: That of AUC, Dice or mAP, or the first.
    """
    keys = {key for key, _ in MAIN_MEASURES.values()}
    return next((column for column in columns if column.key in keys), columns[0])


def label_of(row: Row) -> str:
    """Name a row.

    Args:
        row (Row): Backbone and initialisation.

    Returns:
        str: For example ``'R18 MUSCLE'``.
    """
    return row_label(*row)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The published table, as text, Markdown and JSON."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from muscle_mm.reporting.cells import Cell
from muscle_mm.reporting.labels import INITIALISATION_LABELS, TASK_TITLES

MISSING = '-'
#: Said below every table.
EXPLANATION = (
    'Percent, on the test split. 95% CI: bootstrap over patients. Dice: lung alone; mIoU: lung and '
    'background. AP at IoU 0.5, mAP: mean over classes.'
)


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
    """The results of a study in the form of the published table.

    Args:
        cells (Sequence[Cell]): The tested models.
        titles (Mapping[str, str], optional): Titles of tasks that replace the published ones.
            Defaults to None.
        note (str): A sentence below the table. Defaults to ''.
    """

    def __init__(
        self, cells: Sequence[Cell], titles: Mapping[str, str] | None = None, note: str = ''
    ) -> None:
        self.cells = list(cells)
        self.notes = [part for part in (note, EXPLANATION, _seeds_note(cells)) if part]
        extra = [cell.task for cell in cells if cell.task not in TASK_TITLES]
        self.tasks = list(dict.fromkeys([*TASK_TITLES, *extra]))
        self.titles = {task: TASK_TITLES.get(task, task) for task in self.tasks} | dict(
            titles or {}
        )
        self.columns = {task: columns_of(task, cells) for task in self.tasks}
        initialisations = list(INITIALISATION_LABELS)
        rows = {(cell.backbone, cell.initialisation) for cell in cells}
        self.rows = sorted(
            rows,
            key=lambda row: (
                len(row[0]),
                row[0],
                initialisations.index(row[1]) if row[1] in initialisations else 99,
                row[1],
            ),
        )

    @staticmethod
    def label(row: tuple[str, str]) -> str:
        """Name a row.

        Args:
            row (tuple[str, str]): Backbone and initialisation.

        Returns:
            str: For example ``'R18 MUSCLE'``.
        """
        return f'{row[0]} {INITIALISATION_LABELS.get(row[1], row[1])}'

    def value(self, row: tuple[str, str], task: str, key: str) -> float | None:
        """Mean of a measure over the seeds.

        Args:
            row (tuple[str, str]): Backbone and initialisation.
            task (str): The task.
            key (str): The metric's key.

        Returns:
            float | None: The mean in percent; None where the measure is missing.
        """
        values = [
            cell.metrics[key]
            for cell in self.cells
            if (cell.backbone, cell.initialisation) == row and cell.task == task
            if key in cell.metrics
        ]
        return sum(values) / len(values) if values else None

    def text_of(self, row: tuple[str, str], task: str, column: Column) -> str:
        """Write a measure.

        Args:
            row (tuple[str, str]): Backbone and initialisation.
            task (str): The task.
            column (Column): The measure.

        Returns:
            str: For example ``'96.58 (95.09-97.81)'``, or ``'-'`` where it is missing.
        """
        value = self.value(row, task, column.key)
        if value is None:
            return MISSING
        text = f'{value:.2f}'
        # The mean of several seeds' limits would be no interval of the mean.
        one_seed = (
            sum((c.backbone, c.initialisation, c.task) == (*row, task) for c in self.cells) == 1
        )
        if column.interval and one_seed:
            low, high = (self.value(row, task, key) for key in column.interval)
            if low is not None and high is not None and not math.isnan(low + high):
                text += f' ({low:.2f}-{high:.2f})'
        return text

    def to_text(self) -> str:
        """Write the table for a terminal, one block a task.

        Returns:
            str: The table, at most 80 columns wide for the published tasks.
        """
        labels = [self.label(row) for row in self.rows]
        first = max(len(text) for text in [*labels, *self.titles.values()])
        blocks = []
        for task in self.tasks:
            lines = [[column.header for column in self.columns[task]]]
            for row in self.rows:
                lines.append([self.text_of(row, task, column) for column in self.columns[task]])
            widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
            heads = [self.titles[task], *labels]
            rendered = [
                f'{head:<{first}}  '
                + '  '.join(f'{text:>{width}}' for text, width in zip(line, widths, strict=True))
                for head, line in zip(heads, lines, strict=True)
            ]
            rendered.insert(1, '-' * len(rendered[0]))
            blocks.append('\n'.join(rendered))
        return '\n\n'.join(blocks) + '\n\n' + '\n'.join(self.notes) + '\n'

    def to_markdown(self) -> str:
        """Write the table in the form of the paper, one column a task.

        Returns:
            str: Markdown.
        """
        heads = ['backbone, pre-training']
        for task in self.tasks:
            measures = ' / '.join(column.header for column in self.columns[task])
            heads.append(f'{self.titles[task]}: {measures}')
        lines = [f'| {" | ".join(heads)} |', '|' + '---|' * len(heads)]
        for row in self.rows:
            texts = [
                ' / '.join(self.text_of(row, task, column) for column in self.columns[task])
                for task in self.tasks
            ]
            lines.append(f'| {" | ".join([self.label(row), *texts])} |')
        return '\n'.join(lines) + '\n\n' + '\n\n'.join(self.notes) + '\n'

    def to_json(self) -> dict[str, Any]:
        """Write all measures of all models, for machines.

        Returns:
            dict[str, Any]: ``rows``, with each task's mean and each seed's values; what is
            undefined is
                None.
        """
        rows = []
        for row in self.rows:
            tasks: dict[str, Any] = {}
            for task in self.tasks:
                own = [
                    cell
                    for cell in self.cells
                    if (cell.backbone, cell.initialisation) == row and cell.task == task
                ]
                keys = list(dict.fromkeys(key for cell in own for key in cell.metrics))
                tasks[task] = {
                    'mean': {key: _number(self.value(row, task, key)) for key in keys},
                    'seeds': {
                        str(cell.seed): {key: _number(v) for key, v in cell.metrics.items()}
                        for cell in own
                    },
                }
            rows.append(
                {
                    'label': self.label(row),
                    'backbone': row[0],
                    'initialisation': row[1],
                    'tasks': tasks,
                }
            )
        return {'titles': self.titles, 'notes': self.notes, 'rows': rows}


def _number(value: float | None) -> float | None:
    """Replace what JSON does not know."""
    return None if value is None or math.isnan(value) else value


def _seeds_note(cells: Sequence[Cell]) -> str:
    """Say over how many seeds the values are means."""
    seeds = sorted({cell.seed for cell in cells})
    return (
        f'Means over {len(seeds)} seeds ({", ".join(map(str, seeds))}).' if len(seeds) > 1 else ''
    )

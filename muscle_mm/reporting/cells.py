# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Find the fine-tuned models of a study, and their test results."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from muscle_mm.reporting.labels import (
    BACKBONE_LABELS,
    INITIALISATION_LABELS,
    TASK_TITLES,
    row_label,
)
from muscle_mm.utils.errors import UserError


@dataclass(frozen=True, eq=False)
class Cell:
    """One fine-tuned model.

    Attributes:
        task (str): The task.
        backbone (str): Its label, for example ``'R18'``.
        initialisation (str): Where its backbone came from.
        seed (int): Seed of pre-training and fine-tuning.
        work_dir (Path): Work directory of the fine-tuning.
        metrics (dict[str, float]): Measures on the test split by key; empty without a test result.
        predictions (Path): The table of test films that belongs to the measures, where there is
            one.
    """

    task: str
    backbone: str
    initialisation: str
    seed: int
    work_dir: Path
    metrics: dict[str, float]
    predictions: Path

    @property
    def row(self) -> tuple[str, str]:
        """tuple[str, str]: Backbone and initialisation."""
        return self.backbone, self.initialisation

    @property
    def label(self) -> str:
        """str: Name of its row, for example ``'R18 MUSCLE'``."""
        return row_label(*self.row)


@dataclass
class Cells:
    """What was found of a study.

    Attributes:
        tested (list[Cell]): Models with a test result, in the order of the published tables.
        untested (list[Cell]): Models whose folder has none: training, or failed.
        problems (list[str]): Files that cannot be read, and why.
    """

    tested: list[Cell] = field(default_factory=list)
    untested: list[Cell] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def collect_cells(root: Path) -> Cells:
    """Read all ``root/finetune/<task>/<backbone>/<initialisation>/seed<k>``.

    Args:
        root (Path): Folder of a whole study.

    Returns:
        Cells: The models, with and without a test result.

    Raises:
        UserError: If no model has a test result.
    """
    found = Cells()
    for work_dir in root.glob('finetune/*/*/*/seed*'):
        number = work_dir.name.removeprefix('seed')
        if not number.isdigit() or not work_dir.is_dir():
            continue
        task, folder, initialisation = work_dir.parts[-4:-1]
        metrics, results = read_test_metrics(work_dir, found.problems)
        cell = Cell(
            task,
            BACKBONE_LABELS.get(folder, folder),
            initialisation,
            int(number),
            work_dir,
            metrics,
            results / 'test_predictions.csv',
        )
        (found.tested if metrics else found.untested).append(cell)
    if not found.tested:
        unreadable = ''.join(f' {problem}' for problem in found.problems)
        raise UserError(
            f'no test result found: expected {root}/finetune/TASK/BACKBONE/INITIALISATION/seed0/'
            f'test_metrics.json, which muscle_mm.TestAfterTrainHook writes.{unreadable}'
        )
    for cells in (found.tested, found.untested):
        cells.sort(key=_published_order)
    found.problems.sort()
    return found


def row_order(row: tuple[str, str]) -> tuple:
    """Sort rows as in the published tables, and others after them.

    Args:
        row (tuple[str, str]): Backbone and initialisation.

    Returns:
        tuple: Sorting key.
    """
    backbones = {label: folder for folder, label in BACKBONE_LABELS.items()}
    return (rank(row[0], backbones), rank(row[1], INITIALISATION_LABELS))


def rank(name: str, known: Mapping[str, str]) -> tuple[int, str]:
    """Sort known names in their published order, and others by name after them.

    Args:
        name (str): The name.
        known (Mapping[str, str]): Names in their order.

    Returns:
        tuple[int, str]: Sorting key.
    """
    return (list(known).index(name) if name in known else len(known), name)


def read_test_metrics(work_dir: Path, problems: list[str]) -> tuple[dict[str, float], Path]:
    """Read the newest result on the test split.

    ``TestAfterTrainHook`` writes ``test_metrics.json``; a later run of a test tool with
    ``--work-dir WORK_DIR/test`` writes ``test/<time>/<time>.json``.

    Args:
        work_dir (Path): Work directory of the fine-tuning.
        problems (list[str]): Gets a line for each file that cannot be read.

    Returns:
        tuple[dict[str, float], Path]: Measures by key, empty if there is no result; and the folder
        in which the same test has put its predictions.
    """
    found = [*work_dir.glob('test_metrics.json'), *work_dir.glob('test/*/*.json')]
    for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True):
        try:
            content = json.loads(path.read_text(encoding='utf-8'))
        except (OSError, ValueError) as error:
            problems.append(f'{path} cannot be read as JSON ({error}): test the model again.')
            continue
        metrics = content.get('metrics', content) if isinstance(content, dict) else None
        numbers = {
            key: float(value)
            for key, value in (metrics.items() if isinstance(metrics, dict) else ())
            # A test tool's file also holds timings.
            if '/' in key and isinstance(value, (int, float))
        }
        if numbers:
            return numbers, work_dir if path.parent == work_dir else work_dir / 'test'
        problems.append(f'{path} holds no measures.')
    return {}, work_dir


def find_config(work_dir: Path) -> Path | None:
    """Find the config that mmengine keeps in a work directory.

    Args:
        work_dir (Path): Work directory.

    Returns:
        Path | None: The newest; None if there is none.
    """
    found = sorted(work_dir.glob('*.py'), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


def _published_order(cell: Cell) -> tuple:
    return (rank(cell.task, TASK_TITLES), *row_order(cell.row), cell.seed)

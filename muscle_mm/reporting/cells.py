# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Find the fine-tuned models below a folder, and their test results."""

import json
from dataclasses import dataclass
from pathlib import Path

from muscle_mm.reporting.labels import INITIALISATION_LABELS, TASK_TITLES
from muscle_mm.utils.errors import UserError


@dataclass(frozen=True)
class Cell:
    """One fine-tuned model.

    Attributes:
        task (str): The task.
        initialisation (str): Where its backbone came from.
        seed (int): Seed of the fine-tuning.
        backbone (str): Short name, for example ``'R18'``.
        work_dir (Path): Work directory of the fine-tuning.
        metrics (dict[str, float]): Measures on the test split by key.
    """

    task: str
    initialisation: str
    seed: int
    backbone: str
    work_dir: Path
    metrics: dict[str, float]


def collect_cells(root: Path) -> list[Cell]:
    """Read all tested models in ``root/finetune/<task>/<initialisation>/seed<k>``.

    Models without a test result are left out: their cells are missing from the table.

    Args:
        root (Path): Folder of a whole study.

    Returns:
        list[Cell]: In the order of the published table.

    Raises:
        UserError: If there is no tested model.
    """
    cells = []
    for work_dir in sorted(root.glob('finetune/*/*/seed*')):
        number = work_dir.name.removeprefix('seed')
        metrics = read_test_metrics(work_dir)
        if metrics is None or not number.isdigit():
            continue
        task, initialisation = work_dir.parts[-3:-1]
        backbone = read_backbone(work_dir)
        cells.append(Cell(task, initialisation, int(number), backbone, work_dir, metrics))
    if not cells:
        raise UserError(
            f'no test result found: expected '
            f'{root}/finetune/TASK/INITIALISATION/seed0/test_metrics.json, '
            'which muscle_mm.TestAfterTrainHook writes.'
        )
    return sorted(
        cells,
        key=lambda cell: (
            rank(cell.task, TASK_TITLES),
            len(cell.backbone),
            cell.backbone,
            rank(cell.initialisation, INITIALISATION_LABELS),
            cell.seed,
        ),
    )


def rank(name: str, known: dict[str, str]) -> tuple[int, str]:
    """Sort known names in their published order, and others by name after them.

    Args:
        name (str): The name.
        known (dict[str, str]): Names in their order.

    Returns:
        tuple[int, str]: Sorting key.
    """
    return (list(known).index(name) if name in known else len(known), name)


def read_test_metrics(work_dir: Path) -> dict[str, float] | None:
    """Read the newest result on the test split.

    ``TestAfterTrainHook`` writes ``test_metrics.json``; a later run of a test tool with
    ``--work-dir WORK_DIR/test`` writes ``test/<time>/<time>.json``.

    Args:
        work_dir (Path): Work directory of the fine-tuning.

    Returns:
        dict[str, float] | None: Measures by key; None if there is no result.
    """
    found = [*work_dir.glob('test_metrics.json'), *work_dir.glob('test/*/*.json')]
    for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True):
        try:
            content = json.loads(path.read_text())
        except ValueError:
            continue
        if isinstance(content, dict):
            return {
                key: float(value)
                for key, value in content.get('metrics', content).items()
                # A test tool's file also holds timings.
                if '/' in key and isinstance(value, (int, float))
            }
    return None


def read_backbone(work_dir: Path) -> str:
    """Name the backbone of a run, from the config that mmengine keeps in its work directory.

    Args:
        work_dir (Path): Work directory.

    Returns:
        str: For example ``'R18'``; ``'?'`` if there is no config.
    """
    config = find_config(work_dir)
    if config is None:
        return '?'
    from mmengine.config import Config

    backbone = Config.fromfile(str(config), import_custom_modules=False).model.backbone
    kind = str(backbone.get('type', '')).rpartition('.')[2]
    depth = str(backbone.get('depth', ''))
    return f'R{depth}' if kind == 'ResNet' else f'{kind}{depth}'


def find_config(work_dir: Path) -> Path | None:
    """Find the config that mmengine keeps in a work directory.

    Args:
        work_dir (Path): Work directory.

    Returns:
        Path | None: The newest; None if there is none.
    """
    found = sorted(work_dir.glob('*.py'), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None

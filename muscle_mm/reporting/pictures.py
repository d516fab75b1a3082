# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""All pictures of a report."""

from collections.abc import Callable
from pathlib import Path

from muscle_mm.reporting.bars import draw_bars
from muscle_mm.reporting.cells import Cell
from muscle_mm.reporting.curves import (
    draw_continual,
    draw_finetuning,
    draw_md_moco,
    first_seeds,
)
from muscle_mm.reporting.heat_map import draw_heat_map
from muscle_mm.reporting.labels import BACKBONE_LABELS, INITIALISATION_LABELS
from muscle_mm.reporting.report import Report
from muscle_mm.reporting.roc_curves import draw_roc_curves

#: task -> kind of its pictures of predictions
_OVERLAYS = {'lung': 'masks', 'tbx': 'boxes'}
_STEP_2 = ('muscle', 'muscle_minus_minus')


def draw_pictures(report: Report, root: Path, out: Path, films: int = 4) -> None:
    """Draw what the study has, and note in the report what was drawn, and what failed.

    Args:
        report (Report): The report; gets ``pictures``, and ``problems`` with what cannot be drawn.
        root (Path): Folder of the study.
        out (Path): Folder for the pictures; it exists.
        films (int): Films with predictions, for which models are run; 0 for none. Defaults to 4.
    """
    table = report.table

    def draw(title: str, name: str, source: Path, function: Callable[[Path], bool]) -> None:
        path = out / name
        path.unlink(missing_ok=True)  # an earlier report's is not of these models
        try:
            drawn = function(path)
        # A defective file of one model is no reason to have no report of the others.
        except Exception as error:
            report.problems.append(f'{path.name} is not drawn from {source}: {_first_line(error)}')
        else:
            if drawn:
                report.pictures.append((title, path))

    draw('Main measures', 'bars.png', root, lambda path: draw_bars(table, path))
    draw(
        'ROC curves',
        'roc.png',
        root,
        lambda path: draw_roc_curves(report.scores, path, table.titles),
    )
    for folder in _folders(root / 'pretrain'):
        backbone = BACKBONE_LABELS.get(folder.parent.name, folder.parent.name)
        number = folder.name.removeprefix('seed')
        for step in _STEP_2:
            scores, name = folder / step / 'continual_scores.json', INITIALISATION_LABELS[step]
            draw(
                f'Forgetting, {backbone} {name}, seed {number}',
                f'forgetting_{folder.parent.name}_{step}.png',
                scores,
                lambda path, scores=scores: draw_heat_map(scores, path, table.titles),
            )
    for backbone in table.backbones:
        own = first_seeds([cell for cell in table.cells if cell.backbone == backbone])
        for task, kind in _OVERLAYS.items():
            models = [cell for cell in own if cell.task == task]
            if models and films > 0:
                draw(
                    f'Predictions, {table.titles[task]}, {backbone}',
                    f'predictions_{task}_{_file_name(backbone)}.png',
                    root / 'finetune' / task,
                    lambda path, models=models, kind=kind: _draw_predictions(
                        models, kind, films, path, report.problems
                    ),
                )
    for folder in _folders(root / 'pretrain'):
        backbone = BACKBONE_LABELS.get(folder.parent.name, folder.parent.name)
        number = folder.name.removeprefix('seed')
        draw(
            f'Step 1, MD-MoCo, {backbone}, seed {number}',
            f'curves_step1_{folder.parent.name}_md_moco.png',
            folder / 'md_moco',
            lambda path, folder=folder: draw_md_moco(folder / 'md_moco', path),
        )
        for step in _STEP_2:
            draw(
                f'Step 2, {INITIALISATION_LABELS[step]}, {backbone}, seed {number}',
                f'curves_step2_{folder.parent.name}_{step}.png',
                folder / step,
                lambda path, folder=folder, step=step: draw_continual(
                    folder / step, path, table.titles
                ),
            )
    for backbone in table.backbones:
        own = [cell for cell in table.cells if cell.backbone == backbone]
        draw(
            f'Step 3, fine-tuning, {backbone}',
            f'curves_step3_{_file_name(backbone)}.png',
            root / 'finetune',
            lambda path, own=own: draw_finetuning(own, path, table.titles),
        )


def _folders(pretrain: Path) -> list[Path]:
    """Find the first seed of each backbone in ``pretrain/<backbone>/seed<k>``."""
    first: dict[str, Path] = {}
    found = [path for path in pretrain.glob('*/seed*') if path.name[4:].isdigit()]
    for path in sorted(found, key=lambda path: (path.parent.name, int(path.name[4:]))):
        first.setdefault(path.parent.name, path)
    return list(first.values())


def _file_name(backbone: str) -> str:
    """Name a backbone as its folder is named."""
    return next((name for name, label in BACKBONE_LABELS.items() if label == backbone), backbone)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _draw_predictions(
    models: list[Cell], kind: str, films: int, path: Path, problems: list[str]
) -> bool:
    """Run the models of a task on a few films and draw what they say."""
    from muscle_mm.reporting.overlays import draw_boxes, draw_masks
    from muscle_mm.reporting.predictions import predict

    predictions, failed = {}, {}
    for cell in models:
        try:
            predictions[cell.label] = predict(cell, films)
        # One model without a checkpoint, or with one cut off, does not hide the others.
        except Exception as error:
            failed[cell.label] = _first_line(error)
    if failed:
        reason = next(iter(failed.values()))
        problems.append(f'{path.name} does not show {", ".join(failed)}: {reason}')
    if predictions:
        (draw_masks if kind == 'masks' else draw_boxes)(predictions, path)
    return bool(predictions)

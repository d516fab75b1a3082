# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""All pictures of a report."""

from collections.abc import Callable
from functools import partial
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
    table, titles = report.table, report.table.titles
    pretrained = _pretrained(root / 'pretrain')

    def draw(title: str, name: str, source: Path, function: Callable[..., bool]) -> None:
        path = out / name
        path.unlink(missing_ok=True)  # an earlier report's is not of these models
        try:
            drawn = function(path=path)
        # A defective file of one model is no reason to have no report of the others.
        except Exception as error:
            report.problems.append(f'{name} is not drawn from {source}: {_first_line(error)}')
        else:
            if drawn:
                report.pictures.append((title, path))

    draw('Main measures', 'bars.png', root, partial(draw_bars, table))
    draw('ROC curves', 'roc.png', root, partial(draw_roc_curves, report.scores, titles=titles))
    for folder, backbone, seed in pretrained:
        for step in _STEP_2:
            scores = folder / step / 'continual_scores.json'
            draw(
                f'Forgetting, {backbone} {INITIALISATION_LABELS[step]}, seed {seed}',
                f'forgetting_{folder.parent.name}_{step}.png',
                scores,
                partial(draw_heat_map, scores, titles=titles),
            )
    for backbone in table.backbones:
        own = first_seeds([cell for cell in table.cells if cell.backbone == backbone])
        for task, kind in _OVERLAYS.items():
            models = [cell for cell in own if cell.task == task]
            if models and films > 0:
                draw(
                    f'Predictions, {titles[task]}, {backbone}',
                    f'predictions_{task}_{_file_name(backbone)}.png',
                    root / 'finetune' / task,
                    partial(_draw_predictions, models, kind, films, report.problems),
                )
    for folder, backbone, seed in pretrained:
        draw(
            f'Step 1, MD-MoCo, {backbone}, seed {seed}',
            f'curves_step1_{folder.parent.name}_md_moco.png',
            folder / 'md_moco',
            partial(draw_md_moco, folder / 'md_moco'),
        )
        for step in _STEP_2:
            draw(
                f'Step 2, {INITIALISATION_LABELS[step]}, {backbone}, seed {seed}',
                f'curves_step2_{folder.parent.name}_{step}.png',
                folder / step,
                partial(draw_continual, folder / step, titles=titles),
            )
    for backbone in table.backbones:
        cells = [cell for cell in table.cells if cell.backbone == backbone]
        draw(
            f'Step 3, fine-tuning, {backbone}, first seed',
            f'curves_step3_{_file_name(backbone)}.png',
            root / 'finetune',
            partial(draw_finetuning, cells, titles=titles),
        )


def _pretrained(pretrain: Path) -> list[tuple[Path, str, int]]:
    """Find the first seed of each backbone in ``pretrain/<backbone>/seed<k>``: folder and names."""
    first: dict[str, tuple[Path, str, int]] = {}
    found = [path for path in pretrain.glob('*/seed*') if path.name[4:].isdigit()]
    for path in sorted(found, key=lambda path: (path.parent.name, int(path.name[4:]))):
        name = path.parent.name
        first.setdefault(name, (path, BACKBONE_LABELS.get(name, name), int(path.name[4:])))
    return list(first.values())


def _file_name(backbone: str) -> str:
    """Name a backbone as its folder is named."""
    return next((name for name, label in BACKBONE_LABELS.items() if label == backbone), backbone)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _draw_predictions(
    models: list[Cell], kind: str, films: int, problems: list[str], path: Path
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

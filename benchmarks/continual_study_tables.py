# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The tables of ``continual_study.py``: ``python benchmarks/continual_study_tables.py OUT``."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from md_moco_probe_tables import mean_and_spread

from muscle_mm.evaluation.forgetting import backward_transfer, forgetting

SCORES = {
    'pneumonia': ('Pneumonia AUC', 'binary/auc'),
    'mura': ('Knee AUC', 'binary/auc'),
    'lung': ('Lung Dice', 'segmentation/dice'),
    'tbx': ('Boxes mAP', 'detection/map'),
}
"""Header and metric of each task, in percent."""


def measures_of(run: Path) -> dict[str, float]:
    """Read what one training came to.

    Args:
        run (Path): Its work directory.

    Returns:
        dict[str, float]: Columns of the table.
    """
    content = json.loads((run / 'continual_scores.json').read_text())
    tasks = list(SCORES)
    rows = np.array(
        [[visit['scores'][task] for task in tasks] for visit in content['visits']], dtype=float
    )
    visited = [tasks.index(visit['task']) for visit in content['visits']]
    test = json.loads((run / 'test_metrics.json').read_text())
    scores = {header: float(test[f'{task}/{metric}']) for task, (header, metric) in SCORES.items()}
    return {
        **scores,
        'mean': float(np.mean(list(scores.values()))),
        'mean on val': float(rows[-1].mean()),
        'forgetting': forgetting(rows, visited),
        'backward transfer': backward_transfer(rows, visited),
    }


def write_tables(out: Path, settings: Mapping[str, Any]) -> str:
    """Write ``results.json`` and ``results.md`` over all trainings that are tested.

    Args:
        out (Path): Folder of the study.
        settings (Mapping[str, Any]): What all trainings have in common.

    Returns:
        str: The tables as Markdown.
    """
    runs: dict[str, dict[int, dict[str, float]]] = {}
    for path in sorted(out.glob('runs/*/seed*/test_metrics.json')):
        run = path.parent
        runs.setdefault(run.parent.name, {})[int(run.name.removeprefix('seed'))] = measures_of(run)
    results = [
        dict(variant=variant, seed=seed, **measures)
        for variant, seeds in runs.items()
        for seed, measures in seeds.items()
    ]
    (out / 'results.json').write_text(
        json.dumps(dict(settings=dict(settings), results=results), indent=1) + '\n'
    )
    if not results:
        return 'no training is tested yet'
    columns = [key for key in results[0] if key not in ('variant', 'seed')]
    header = [
        f'| variant | seeds | {" | ".join(columns)} |',
        '|' + '---|' * (len(columns) + 2),
    ]
    lines = [', '.join(f'{key} {value}' for key, value in settings.items() if value), '', *header]
    ordered = sorted(
        runs, key=lambda variant: -np.mean([run['mean on val'] for run in runs[variant].values()])
    )
    for variant in ordered:
        seeds = runs[variant].values()
        cells = [mean_and_spread([run[column] for run in seeds]) for column in columns]
        lines.append(f'| {variant} | {len(seeds)} | {" | ".join(cells)} |')
    lines += ['', 'Less MUSCLE-- at the same seeds:', '', *header]
    reference = runs.get('MUSCLE--', {})
    for variant in ordered:
        shared = sorted(runs[variant].keys() & reference.keys())
        if variant == 'MUSCLE--' or not shared:
            continue
        cells = [
            mean_and_spread(
                [runs[variant][seed][column] - reference[seed][column] for seed in shared]
            )
            for column in columns
        ]
        lines.append(f'| {variant} | {len(shared)} | {" | ".join(cells)} |')
    text = '\n'.join(lines) + '\n'
    (out / 'results.md').write_text(text)
    return text


if __name__ == '__main__':
    folder = Path(sys.argv[1])
    print(write_tables(folder, json.loads((folder / 'study.json').read_text())))

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The tables of ``md_moco_probe.py``."""

from typing import Any

import numpy as np

SHARES: dict[str, tuple[float, int | None]] = {
    'all': (1.0, 1),
    '10%': (0.1, 5),
    '5%': (0.05, 5),
    '5%, own draw': (0.05, None),
    '2%': (0.02, 5),
    '2%, own draw': (0.02, None),
}
"""Share of the patients whose labels are given, and how often they are drawn; None: once, another
draw for each seed."""

COLUMNS = {
    f'{what} {share}': (share, key)
    for what, key in (('linear AUC', 'linear_auc'), ('linear accuracy', 'linear_accuracy'))
    for share in SHARES
} | {
    'kNN AUC all': ('all', 'knn_auc'),
    'own head AUC': ('all', 'head_auc'),
    'feature std': ('all', 'feature_std'),
    'effective rank': ('all', 'effective_rank'),
}
"""Header of each column: share of the labels and score."""


def tables(results: list[dict[str, Any]], labels: dict[str, np.ndarray], note: str) -> str:
    """Write mean and standard deviation over the seeds as Markdown, a table for each split.

    Args:
        results (list[dict]): What was measured, one of each arm and seed.
        labels (dict[str, np.ndarray]): Labels of the films by split.
        note (str): What was done.

    Returns:
        str: The tables.
    """
    lines = [note, '', 'Mean and standard deviation over seeds. Choose on val, report test.']
    for split in ('test', 'val'):
        majority = 100 * np.bincount(labels[split]).max() / len(labels[split])
        lines += [
            '',
            f'## {split}: {len(labels[split])} films; accuracy of always the same answer: '
            f'{majority:.1f}',
            '',
            *_rows(results, split),
        ]
    return '\n'.join(lines) + '\n'


def _rows(results: list[dict[str, Any]], split: str) -> list[str]:
    """Write the arms, and below them md_moco's lead over each at the same seeds."""
    arms: dict[str, dict[int, dict[str, Any]]] = {}
    for result in results:
        arms.setdefault(result['arm'], {})[result['seed']] = result
    lines = [
        f'| backbone | seeds | {" | ".join(COLUMNS)} | seconds |',
        '|' + '---|' * (len(COLUMNS) + 3),
    ]
    for arm, runs in arms.items():
        cells = [
            mean_and_spread([_score(run, split, *column) for run in runs.values()])
            for column in COLUMNS.values()
        ]
        seconds = mean_and_spread([run['seconds'] for run in runs.values()])
        lines.append(f'| {arm} | {len(runs)} | {" | ".join(cells)} | {seconds} |')
    moco = arms.get('md_moco', {})
    for arm, runs in arms.items():
        seeds = sorted(moco.keys() & runs.keys())
        if arm == 'md_moco' or not seeds:
            continue
        cells = [
            mean_and_spread(
                [
                    _score(moco[seed], split, *column) - _score(runs[seed], split, *column)
                    for seed in seeds
                ]
            )
            for column in COLUMNS.values()
        ]
        lines.append(f'| md_moco - {arm} | {len(seeds)} | {" | ".join(cells)} | |')
    return lines


def _score(run: dict[str, Any], split: str, share: str, key: str) -> float:
    """Find a score; NaN where the arm has none."""
    return run['scores'][split][share].get(key, float('nan'))


def mean_and_spread(values: list[float]) -> str:
    """Write a mean, and a standard deviation where there are several values.

    Args:
        values (list[float]): The values.

    Returns:
        str: A cell; empty if there is no score.
    """
    if np.isnan(values).any():
        return ''
    if len(values) == 1:
        return f'{values[0]:.2f}'
    return f'{np.mean(values):.2f} ± {np.std(values, ddof=1):.2f}'

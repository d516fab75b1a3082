# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The comparisons of a report as rows of text."""

import math

from muscle_mm.reporting.comparisons import Comparison
from muscle_mm.reporting.labels import INITIALISATION_LABELS
from muscle_mm.reporting.report import Report
from muscle_mm.reporting.tables import MISSING

HEADING = ('task', 'backbone', 'comparison', 'difference (95% CI)', 'p', 'adjusted p', 'test')

_MEASURES = {'binary/auc': 'AUC', 'segmentation/dice': 'Dice', 'detection/map': 'mAP'}


def comparison_rows(report: Report) -> list[tuple[str, ...]]:
    """Write each comparison.

    Args:
        report (Report): The report.

    Returns:
        list[tuple[str, ...]]: A text for each entry of ``HEADING``.
    """
    return [
        (
            f'{report.table.titles[one.task]} {_MEASURES[one.measure]}',
            one.backbone,
            f'{_label(one.first)} - {_label(one.second)}',
            _difference(one),
            p_text(one.p_value),
            p_text(one.adjusted),
            _test(one),
        )
        for one in report.comparisons
    ]


def p_text(p_value: float) -> str:
    """Write a p-value.

    Args:
        p_value (float): From 0 to 1, or NaN.

    Returns:
        str: With four digits, ``'<0.0001'``, or ``MISSING``.
    """
    if math.isnan(p_value):
        return MISSING
    return f'{p_value:.4f}' if p_value >= 0.0001 else '<0.0001'


def _label(initialisation: str) -> str:
    return INITIALISATION_LABELS.get(initialisation, initialisation)


def _difference(one: Comparison) -> str:
    interval = '' if math.isnan(one.low) else f' ({one.low:+.2f} to {one.high:+.2f})'
    return f'{one.difference:+.2f}{interval}'


def _test(one: Comparison) -> str:
    patients = f'{one.films} films'
    if one.patients != one.films:
        patients += f' of {one.patients} patients'
    seeds = f'seed {one.seeds[0]}' if len(one.seeds) == 1 else f'{len(one.seeds)} seeds'
    return f'{one.method}, {patients}, {seeds}'

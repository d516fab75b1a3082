# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A report for programs."""

import json
import math
from dataclasses import asdict
from typing import Any

from muscle_mm.reporting.labels import INITIALISATION_LABELS
from muscle_mm.reporting.published import PUBLISHED
from muscle_mm.reporting.report import Report
from muscle_mm.reporting.tables import ResultTable, Row, label_of, main_column


def to_json(report: Report) -> str:
    """Write all values: of each row and task the mean, the spread, each seed and the published.

    Args:
        report (Report): The report.

    Returns:
        str: The text. What is not defined is null, because JSON has no NaN.
    """
    table = report.table
    content = {
        'titles': table.titles,
        'notes': report.notes,
        'rows': [
            {
                'label': label_of(row),
                'backbone': row[0],
                'initialisation': row[1],
                'tasks': {task: _task(table, row, task) for task in table.tasks},
            }
            for row in table.rows
        ],
        'comparisons': [asdict(one) for one in report.comparisons],
        'about_comparisons': report.about_comparisons,
        'initialisations': INITIALISATION_LABELS,
        'missing': report.missing,
        'problems': report.problems,
    }
    return json.dumps(_without_nan(content), indent=1, ensure_ascii=False, allow_nan=False) + '\n'


def _task(table: ResultTable, row: Row, task: str) -> dict[str, Any]:
    """Collect the values of one cell of the tables."""
    models = table.models(row, task)
    keys = list(dict.fromkeys(key for cell in models for key in cell.metrics))
    main = main_column(table.columns[task])
    return {
        'mean': {key: table.value(row, task, key) for key in keys},
        'standard_deviation': {key: table.spread(row, task, key) for key in keys},
        'seeds': {str(cell.seed): cell.metrics for cell in models},
        'main_measure': main.key,
        'main_interval': table.interval(row, task, main),
        'published': PUBLISHED.get(row, {}).get(task, {}),
    }


def _without_nan(value: Any) -> Any:
    """Replace NaN and infinity in nested lists and dictionaries."""
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

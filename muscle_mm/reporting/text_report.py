# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A report for a terminal."""

from collections.abc import Sequence

from muscle_mm.reporting.comparison_table import HEADING, comparison_rows
from muscle_mm.reporting.report import Report
from muscle_mm.reporting.tables import ResultTable, label_of, main_column


def to_text(report: Report) -> str:
    """Write the results, one block a task, with the published main measure in the last column.

    Args:
        report (Report): The report.

    Returns:
        str: The text; with one seed at most 80 columns wide for the published tasks.
    """
    table = report.table
    parts = [_block(table, task) for task in table.tasks]
    parts.append('\n'.join(report.notes))
    if report.missing:
        parts.append('Missing:\n' + '\n'.join(f'  {line}' for line in report.missing))
    if report.comparisons:
        # The last column, how it was tested, is in the other formats.
        rows = [HEADING[:-1], *(row[:-1] for row in comparison_rows(report))]
        parts += [_aligned(rows, left=3), '\n'.join(report.about_comparisons)]
    if report.problems:
        parts.append('Warnings:\n' + '\n'.join(f'  {line}' for line in report.problems))
    return '\n\n'.join(parts) + '\n'


def _block(table: ResultTable, task: str) -> str:
    """Write one task."""
    columns = table.columns[task]
    main = main_column(columns)
    rows = [[table.titles[task], *(column.header for column in columns), 'published']]
    for row in table.rows:
        published = table.published_text(row, task, main).split(' ')[0]
        ours = [table.text_of(row, task, column) for column in columns]
        rows.append([label_of(row), *ours, published])
    return _aligned(rows)


def _aligned(rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Align columns, the first ones to the left, with a line below the heading."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        '  '.join(
            f'{text:<{width}}' if place < left else f'{text:>{width}}'
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.insert(1, '-' * max(map(len, lines)))
    return '\n'.join(lines)

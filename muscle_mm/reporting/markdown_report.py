# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A report in Markdown."""

from collections.abc import Sequence

from muscle_mm.reporting.comparison_table import HEADING, comparison_rows
from muscle_mm.reporting.report import Report
from muscle_mm.reporting.tables import ResultTable, label_of


def to_markdown(report: Report) -> str:
    """Write one table a backbone, ours and published in turn, and the comparisons.

    Args:
        report (Report): The report.

    Returns:
        str: The text.
    """
    parts = ['# Results']
    for backbone in report.table.backbones:
        parts += [f'## {_escape(backbone)}', _results(report.table, backbone)]
    parts += [_escape(note) for note in report.notes]
    if report.missing:
        parts += ['## Missing', _items(report.missing)]
    if report.comparisons:
        parts += ['## Differences', _table([HEADING, *comparison_rows(report)])]
        parts += report.about_comparisons
    if report.problems:
        parts += ['## Warnings', _items(report.problems)]
    return '\n\n'.join(parts) + '\n'


def _results(table: ResultTable, backbone: str) -> str:
    """Write the table of a backbone."""
    heading = ['backbone, pre-training', '']
    for task in table.tasks:
        names = ' / '.join(column.header for column in table.columns[task])
        heading.append(f'{table.titles[task]}: {names}')
    rows: list[Sequence[str]] = [heading]
    for row in table.rows:
        if row[0] != backbone:
            continue
        for who, text in (('ours', table.text_of), ('published', table.published_text)):
            cells = [
                ' / '.join(text(row, task, column) for column in table.columns[task])
                for task in table.tasks
            ]
            rows.append([label_of(row) if who == 'ours' else '', who, *cells])
    return _table(rows)


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Write a table whose first row is its heading."""
    lines = ['| ' + ' | '.join(map(_escape, row)) + ' |' for row in rows]
    lines.insert(1, '|' + '---|' * len(rows[0]))
    return '\n'.join(lines)


def _items(lines: Sequence[str]) -> str:
    return '\n'.join(f'- {_escape(line)}' for line in lines)


def _escape(text: str) -> str:
    """Keep what titles and file names hold from being taken for Markdown."""
    for character in '\\`*_|<[':
        text = text.replace(character, f'\\{character}')
    return ' '.join(text.split())

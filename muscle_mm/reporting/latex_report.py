# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A report in LaTeX: a document that compiles, and whose tables can be copied into another."""

import re
from collections.abc import Sequence

from muscle_mm.reporting.comparison_table import HEADING, comparison_rows
from muscle_mm.reporting.report import Report
from muscle_mm.reporting.tables import MISSING, ResultTable, label_of

_BEFORE = r"""% Titles outside Latin script need XeLaTeX or LuaLaTeX.
\documentclass[a4paper,landscape]{article}
\usepackage[margin=15mm]{geometry}
\usepackage{booktabs,graphicx,longtable}
\setlength{\parindent}{0pt}
\setlength{\belowcaptionskip}{4pt}
\begin{document}
"""
_AFTER = r'\end{document}' + '\n'
_SPECIAL = {
    '\\': r'\textbackslash{}',
    '~': r'\textasciitilde{}',
    '^': r'\textasciicircum{}',
    '±': r'$\pm$',
    MISSING: '--',
    '<': r'$<$',
    '>': r'$>$',
    **{character: f'\\{character}' for character in '&%$#_{}'},
}


def to_latex(report: Report) -> str:
    """Write one table a backbone, ours and published in turn, and the comparisons.

    Args:
        report (Report): The report.

    Returns:
        str: A whole document.
    """
    parts = [_results(report.table, backbone) for backbone in report.table.backbones]
    parts.append('\n\n'.join(_escape(note) for note in report.notes))
    if report.missing:
        lines = '\n'.join(rf'  \item {_escape(line)}' for line in report.missing)
        parts.append(f'Missing:\n\\begin{{itemize}}\n{lines}\n\\end{{itemize}}')
    if report.comparisons:
        parts.append(_comparisons(report))
        parts.append('\n\n'.join(_escape(note) for note in report.about_comparisons))
    return _BEFORE + '\n' + '\n\n'.join(parts) + '\n' + _AFTER


def _results(table: ResultTable, backbone: str) -> str:
    """Write the table of a backbone."""
    counts = [len(table.columns[task]) for task in table.tasks]
    titles, rules, start = [], [], 3
    for task, count in zip(table.tasks, counts, strict=True):
        titles.append(rf'\multicolumn{{{count}}}{{c}}{{{_escape(table.titles[task])}}}')
        rules.append(rf'\cmidrule(lr){{{start}-{start + count - 1}}}')
        start += count
    headers = [column.header for task in table.tasks for column in table.columns[task]]
    lines = [
        r'\begin{table}[!h]',
        rf'\caption{{{_escape(backbone)}: ours and published, in percent.}}',
        r'\resizebox{\textwidth}{!}{%',
        rf'\begin{{tabular}}{{ll{"r" * sum(counts)}}}',
        r'\toprule',
        f' & & {" & ".join(titles)} \\\\',
        ' '.join(rules),
        _line(['pre-training', '', *headers]),
        r'\midrule',
    ]
    rows = [row for row in table.rows if row[0] == backbone]
    for row in rows:
        for who, text in (('ours', table.text_of), ('published', table.published_text)):
            values = [
                text(row, task, column) for task in table.tasks for column in table.columns[task]
            ]
            lines.append(_line([label_of(row) if who == 'ours' else '', who, *values]))
        if row != rows[-1]:
            lines.append(r'\addlinespace')
    lines += [r'\bottomrule', r'\end{tabular}}', r'\end{table}']
    return '\n'.join(lines)


def _comparisons(report: Report) -> str:
    """Write the comparisons, over as many pages as they need."""
    lines = [
        r'\clearpage',
        r'\begin{longtable}{lllrrrl}',
        r'\caption{Differences of the main measure, in points.}\\',
        r'\toprule',
        _line(HEADING),
        r'\midrule',
        r'\endhead',
        *map(_line, comparison_rows(report)),
        r'\bottomrule',
        r'\end{longtable}',
    ]
    return '\n'.join(lines)


def _line(texts: Sequence[str]) -> str:
    return ' & '.join(map(_escape, texts)) + r' \\'


def _escape(text: str) -> str:
    """Write characters that LaTeX takes for commands, dashes of intervals, and minus signs."""
    text = ''.join(_SPECIAL.get(character, character) for character in ' '.join(text.split()))
    text = re.sub(r'(\d\.\d+)-(?=\d+\.\d)', r'\1--', text)
    text = re.sub(r'(?<=[ (])-(?=[ \d])|^-(?=\d)', '$-$', text)
    # Two hyphens of a name are no dash.
    return re.sub(r'(?<=[A-Za-z])--', '-{}-', text)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Write tables and pictures of a study: ``python tools/report.py ROOT``.

Reads ``ROOT/pretrain/<backbone>/seed<k>/{md_moco,muscle_minus_minus,muscle}`` and
``ROOT/finetune/<task>/<backbone>/<initialisation>/seed<k>`` as the toolboxes' train tools leave
them with the configs of this package, finished or not. Writes results.{txt,md,tex,json}, pictures,
and index.html, which holds all of it.
"""

import argparse
import sys
from pathlib import Path

from muscle_mm.command_line.friendly_errors import run_command
from muscle_mm.reporting.html_report import to_html
from muscle_mm.reporting.json_report import to_json
from muscle_mm.reporting.latex_report import to_latex
from muscle_mm.reporting.markdown_report import to_markdown
from muscle_mm.reporting.pictures import draw_pictures
from muscle_mm.reporting.report import read_study
from muscle_mm.reporting.text_report import to_text
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.whole_file import whole_file


def parse_arguments() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The arguments.
    """
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('root', type=Path, help='folder of the study')
    parser.add_argument(
        '--out', type=Path, help='folder for tables and pictures. Default: ROOT/report'
    )
    parser.add_argument(
        '--titles',
        nargs='+',
        default=[],
        metavar='TASK=TITLE',
        help='titles of tasks, where other data stand in for the published sets',
    )
    parser.add_argument('--note', default='', help='a sentence below the tables')
    parser.add_argument(
        '--films',
        type=int,
        default=4,
        help='films with predictions, for which models are run; 0 for none. Default: 4',
    )
    parser.add_argument('--quiet', action='store_true', help='do not print the tables')
    return parser.parse_args()


def main() -> None:
    """Write the report."""
    arguments = parse_arguments()
    for title in arguments.titles:
        if '=' not in title:
            raise UserError(f'--titles: {title!r} is not of the form TASK=TITLE.')
    titles = dict(title.split('=', 1) for title in arguments.titles)
    out: Path = arguments.out or arguments.root / 'report'
    report = read_study(arguments.root, titles, arguments.note)
    out.mkdir(parents=True, exist_ok=True)
    draw_pictures(report, arguments.root, out, arguments.films)
    text = to_text(report)
    _write(out / 'results.txt', text)
    _write(out / 'results.md', to_markdown(report))
    _write(out / 'results.tex', to_latex(report))
    _write(out / 'results.json', to_json(report))
    _write(out / 'index.html', to_html(report))
    if not arguments.quiet:
        print(text, end='')
        return
    for problem in report.problems:  # they are in the text, too
        print(f'Warning: {problem}', file=sys.stderr)


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    with whole_file(path) as unfinished:
        unfinished.write_text(text, encoding='utf-8')


if __name__ == '__main__':
    run_command(main)

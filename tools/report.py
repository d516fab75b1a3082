# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Write tables and pictures of a finished study: ``python tools/report.py ROOT --out DIR``.

Reads ``ROOT/md_moco``, ``ROOT/continual`` and ``ROOT/finetune/<task>/<initialisation>/seed<k>`` as
the toolboxes' train tools leave them with the configs of this package.
"""

import argparse
import json
from pathlib import Path

from muscle_mm.command_line.friendly_errors import run_command
from muscle_mm.reporting.cells import Cell, collect_cells
from muscle_mm.reporting.curves import draw_continual, draw_finetuning, draw_md_moco, row_name
from muscle_mm.reporting.tables import ResultTable
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.whole_file import whole_file

#: task -> kind of picture
_OVERLAYS = {'lung': 'masks', 'tbx': 'boxes'}


def parse_arguments() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The arguments.
    """
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('root', type=Path, help='folder of the study')
    parser.add_argument('--out', type=Path, required=True, help='folder for tables and pictures')
    parser.add_argument(
        '--titles',
        nargs='+',
        default=[],
        metavar='TASK=TITLE',
        help='titles of tasks, where other data stand in for the published sets',
    )
    parser.add_argument('--note', default='', help='a sentence below the tables')
    parser.add_argument('--films', type=int, default=4, help='films with predictions. Default: 4')
    parser.add_argument('--quiet', action='store_true', help='do not print the table')
    return parser.parse_args()


def main() -> None:
    """Write the report."""
    arguments = parse_arguments()
    for title in arguments.titles:
        if '=' not in title:
            raise UserError(f'--titles: {title!r} is not of the form TASK=TITLE.')
    titles = dict(title.split('=', 1) for title in arguments.titles)
    root, out = arguments.root, arguments.out
    cells = collect_cells(root)
    table = ResultTable(cells, titles, arguments.note)
    out.mkdir(parents=True, exist_ok=True)
    _write(out / 'results.txt', table.to_text())
    _write(out / 'results.md', table.to_markdown())
    _write(out / 'results.json', json.dumps(table.to_json(), indent=1) + '\n')
    draw_md_moco(root / 'md_moco', out / 'curves_step1_md_moco.png')
    draw_continual(root / 'continual', out / 'curves_step2_continual.png', table.titles)
    draw_finetuning(cells, out / 'curves_step3_finetune.png', table.titles)
    for task, kind in _OVERLAYS.items():
        models = [cell for cell in cells if cell.task == task and cell.seed == cells[0].seed]
        if models and arguments.films > 0:
            _draw_predictions(models, kind, arguments.films, out / f'predictions_{task}.png')
    if not arguments.quiet:
        print(table.to_text())


def _draw_predictions(models: list[Cell], kind: str, films: int, path: Path) -> None:
    """Run the models of a task on a few films and draw what they say."""
    from muscle_mm.reporting.overlays import draw_boxes, draw_masks
    from muscle_mm.reporting.predictions import predict

    predictions = {row_name(cell): predict(cell, films) for cell in models}
    (draw_masks if kind == 'masks' else draw_boxes)(predictions, path)


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    with whole_file(path) as unfinished:
        unfinished.write_text(text, encoding='utf-8')


if __name__ == '__main__':
    run_command(main)

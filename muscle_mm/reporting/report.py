# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What a report says, before it is written in any format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from muscle_mm.reporting.cells import Cells, collect_cells
from muscle_mm.reporting.comparisons import Comparison, compare_initialisations
from muscle_mm.reporting.film_scores import FilmScores
from muscle_mm.reporting.labels import TASK_TITLES
from muscle_mm.reporting.published import SOURCE
from muscle_mm.reporting.tables import MISSING, ResultTable, label_of

EXPLANATION = (
    'Percent, on the test split. 95% CI: bootstrap over patients. Dice: lung alone; mIoU: lung and '
    'background. AP at IoU 0.5, mAP: mean over classes.'
)
ABOUT_COMPARISONS = (
    'Difference of the main measure on the same test films, in points, with its 95% confidence '
    'interval. p: two-sided, of one comparison alone; adjusted p: Benjamini and Hochberg, over all '
    'comparisons of this report. Both say what other test patients could have changed, and nothing '
    'of how a result varies from training to training.'
)
_ABOUT_SEEDS = (
    'With several seeds, the mean over the seeds is compared, with the same patients drawn for all '
    'of them; the variation of training is the spread over the seeds.'
)


@dataclass
class Report:
    """All that the formats have to write.

    Attributes:
        table (ResultTable): The results.
        notes (list[str]): Sentences below the tables.
        comparisons (list[Comparison]): The significance of differences.
        about_comparisons (list[str]): Sentences below them.
        missing (list[str]): Models that have no result.
        problems (list[str]): What could not be read or drawn, and why.
        scores (FilmScores): Main scores in resamples of the test films.
        pictures (list[tuple[str, Path]]): Title and file of each picture, in order.
    """

    table: ResultTable
    notes: list[str]
    comparisons: list[Comparison]
    about_comparisons: list[str]
    missing: list[str]
    problems: list[str]
    scores: FilmScores
    pictures: list[tuple[str, Path]] = field(default_factory=list)


def read_study(root: Path, titles: Mapping[str, str] | None = None, note: str = '') -> Report:
    """Read the fine-tuned models of a study and compare them.

    Args:
        root (Path): Folder of the study.
        titles (Mapping[str, str], optional): Titles of tasks that replace the published ones.
            Defaults to None.
        note (str): A sentence below the tables. Defaults to ''.

    Returns:
        Report: Without pictures.

    Raises:
        UserError: If no model has a test result.
    """
    found = collect_cells(root)
    scores = FilmScores(found.tested)
    comparisons, not_compared = compare_initialisations(found.tested, scores)
    table = ResultTable(found.tested, titles)
    for row in table.rows:
        for task in table.tasks:
            interval = scores.interval(table.models(row, task))
            if interval:
                table.intervals[row, task] = (100 * interval[0], 100 * interval[1])
    missing = _missing(table, found)
    legend = f'{MISSING} is missing.' if missing else ''
    return Report(
        table,
        [
            part
            for part in (note, EXPLANATION, _about_seeds(table), *_about_data(table), legend)
            if part
        ],
        comparisons,
        [ABOUT_COMPARISONS, *([_ABOUT_SEEDS] if len(table.seeds) > 1 else [])],
        missing,
        [*found.problems, *scores.problems, *not_compared],
        scores,
    )


def _about_seeds(table: ResultTable) -> str:
    """Say over how many seeds the values are means."""
    if len(table.seeds) < 2:
        return ''
    seeds = ', '.join(map(str, table.seeds))
    return (
        f'Means over {len(table.seeds)} seeds ({seeds}) ± their standard deviation, or over those '
        'that are there.'
    )


def _about_data(table: ResultTable) -> list[str]:
    """Say where the published values are from, and where they are of other data."""
    notes = [f'Published: {SOURCE}, on its own split of the public sets.']
    for task, title in TASK_TITLES.items():
        if table.titles[task] != title:
            notes.append(
                f'{table.titles[task]} stands in the place of {title}: the published values are of '
                f'{title}, and no comparison.'
            )
    return notes


def _missing(table: ResultTable, found: Cells) -> list[str]:
    """List the models that have no result, a line for each row of the tables."""
    begun = {(cell.row, cell.task, cell.seed) for cell in found.untested}
    seeds = sorted({cell.seed for cell in [*found.tested, *found.untested]})
    lines = []
    for row in table.rows:
        gaps = []
        for task in table.tasks:
            there = {cell.seed for cell in table.models(row, task)}
            absent = [seed for seed in seeds if seed not in there]
            if not absent:
                continue
            which = '' if not there else f' seed {", ".join(map(str, absent))}'
            failed = [seed for seed in absent if (row, task, seed) in begun]
            state = ' (begun, without a test result)' if failed else ''
            gaps.append(f'{table.titles[task]}{which}{state}')
        whole = len(gaps) == len(table.tasks) and not any(
            ' seed ' in gap or '(' in gap for gap in gaps
        )
        if gaps:
            lines.append(f'{label_of(row)}: {"all tasks" if whole else "; ".join(gaps)}')
    return lines

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Main scores of fine-tuned models in the same resamples of their test films."""

from collections.abc import Sequence

import numpy as np

from muscle_mm.evaluation import (
    BinaryPredictions,
    DetectionPredictions,
    FilmPredictions,
    SegmentationPredictions,
    draw_patients,
)
from muscle_mm.reporting.cells import Cell
from muscle_mm.utils.errors import UserError

#: key of a main measure -> the table of films that it follows from
_TABLES: dict[str, type[FilmPredictions]] = {
    'binary/auc': BinaryPredictions,
    'segmentation/dice': SegmentationPredictions,
    'detection/map': DetectionPredictions,
}
#: Rows and measures of the same test differ by rounding alone.
_TOLERANCE = 0.005


class FilmScores:
    """Reads each model's table of test films, and scores all models in the same resamples.

    Models that were tested on the same films, whose order may differ, get the same draws of
    patients, so that their scores can be subtracted, and be averaged over seeds, draw by draw.

    Args:
        cells (Sequence[Cell]): The models.
        num_resamples (int): Number of draws. Defaults to 5000.
        seed (int): Seed of the draws. Defaults to 0.

    Attributes:
        films (dict[Cell, FilmPredictions]): The readable tables, films sorted by name.
        drawn (dict[Cell, np.ndarray]): Main score between 0 and 1 in each resample, shape (R,).
        problems (list[str]): What cannot be used, and why.
    """

    def __init__(self, cells: Sequence[Cell], num_resamples: int = 5000, seed: int = 0) -> None:
        self.films: dict[Cell, FilmPredictions] = {}
        self.drawn: dict[Cell, np.ndarray] = {}
        self.problems: list[str] = []
        self._names: dict[Cell, list[str]] = {}
        self._scores: dict[Cell, float] = {}
        groups: dict[tuple, list[Cell]] = {}
        untabled = []
        for cell in cells:
            if main_key(cell) is None:
                continue
            if not cell.predictions.is_file():
                untabled.append(cell)
                continue
            try:
                self._read(cell)
            except UserError as error:
                self.problems.append(str(error))
            else:
                groups.setdefault((cell.task, *self._key(cell)), []).append(cell)
        for group in groups.values():
            self._draw(group, num_resamples, seed)
        if untabled:
            self.problems.append(
                f'{len(untabled)} of {len(cells)} tested models have no table of test films, so '
                f'there is no comparison of them: {untabled[0].predictions} is one. '
                'muscle_mm.TestPredictionsHook writes it when a model is tested.'
            )

    def score(self, cell: Cell) -> float:
        """Score a model on all its films.

        Args:
            cell (Cell): A model with a table.

        Returns:
            float: Between 0 and 1.
        """
        return self._scores[cell]

    def interval(
        self, cells: Sequence[Cell], confidence: float = 0.95
    ) -> tuple[float, float] | None:
        """Percentile interval of the mean score of models of several seeds.

        Args:
            cells (Sequence[Cell]): The models.
            confidence (float): Coverage. Defaults to 0.95.

        Returns:
            tuple[float, float] | None: Limits between 0 and 1; None if a table is missing, or the
            films are not the same.
        """
        if not cells or any(cell not in self.films for cell in cells) or self.difference_of(cells):
            return None
        mean = np.mean([self.drawn[cell] for cell in cells], axis=0)
        if np.isnan(mean).any():
            return None
        tail = (1 - confidence) / 2
        low, high = np.quantile(mean, [tail, 1 - tail])
        return float(low), float(high)

    def difference_of(self, cells: Sequence[Cell]) -> str:
        """Say how the test films of models differ.

        Args:
            cells (Sequence[Cell]): Models with tables.

        Returns:
            str: For example ``'8 and 9 test films'``; '' if they are the same.
        """
        first = cells[0]
        for cell in cells[1:]:
            if self._key(cell) == self._key(first):
                continue
            names, others = self._names[first], self._names[cell]
            where = f'{first.label} seed {first.seed} and {cell.label} seed {cell.seed}'
            alone = sorted(set(names) ^ set(others))
            if alone:
                return (
                    f'{where} were tested on other films ({len(names)} and {len(others)}; '
                    f'{alone[0]} is only in one)'
                )
            pairs = zip(self._rows(first), self._rows(cell), strict=True)
            film = next(mine[0] for mine, other in pairs if mine != other)
            return f'{where} were tested with other truth or patients of films ({film} is one)'
        return ''

    def _read(self, cell: Cell) -> None:
        """Read a table, and make sure that it belongs to the measures."""
        key = str(main_key(cell))
        films = _TABLES[key].read(cell.predictions)
        # In the order of the test: an AP depends on it where boxes of two films have equal scores.
        every = np.ones((1, len(films.images)), dtype=np.int64)
        score, measure = float(films.main_scores(every)[0]), cell.metrics[key]
        if abs(100 * score - measure) > _TOLERANCE or np.isnan(score) != np.isnan(measure):
            raise UserError(
                f'{cell.predictions} gives {key} {100 * score:.2f}, but the test result says '
                f'{measure:.2f}: they are of different tests. Test the model again.'
            )
        names = films.names()
        order = sorted(range(len(names)), key=names.__getitem__)
        self.films[cell] = films.take(order)
        self._names[cell] = [names[place] for place in order]
        self._scores[cell] = score

    def _rows(self, cell: Cell) -> list[tuple]:
        """What must agree between two models, a row for each film."""
        films = self.films[cell]
        return list(zip(self._names[cell], films.units(), films.truths(), strict=True))

    def _key(self, cell: Cell) -> tuple:
        return tuple(self._rows(cell))

    def _draw(self, group: Sequence[Cell], num_resamples: int, seed: int) -> None:
        """Score the models of the same films in the same draws."""
        first = self.films[group[0]]
        parts: dict[Cell, list[np.ndarray]] = {cell: [] for cell in group}
        for counts in draw_patients(first.units(), first.strata(), num_resamples, seed):
            for cell in group:
                parts[cell].append(self.films[cell].main_scores(counts))
        for cell in group:
            self.drawn[cell] = np.concatenate([*parts[cell], np.empty(0)])


def main_key(cell: Cell) -> str | None:
    """Choose the measure that stands for a model.

    Args:
        cell (Cell): The model.

    Returns:
        str | None: For example ``'binary/auc'``; None if there is none of the known ones.
    """
    return next((key for key in _TABLES if key in cell.metrics), None)

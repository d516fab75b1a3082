# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Boxes of each film as far as average precision needs them, and the table that keeps them."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from muscle_mm.evaluation.film_predictions import (
    FilmPredictions,
    mean_over_classes,
    write_table,
)

_COLUMNS = ('image', 'patient', 'class', 'true_boxes', 'scores', 'matched')
_RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class ClassBoxes:
    """The boxes of one class in one film.

    Attributes:
        true_boxes (int): Number of true boxes, without those that do not count.
        scores (tuple[float, ...]): Of the predicted boxes, without those that do not count.
        matched (tuple[bool, ...]): Whether each has a true box of its own.
    """

    true_boxes: int
    scores: tuple[float, ...] = ()
    matched: tuple[bool, ...] = ()


@dataclass(frozen=True)
class DetectionPredictions(FilmPredictions):
    """Boxes of films, from which the average precision of any choice of films follows.

    Whether a predicted box is matched is decided in its film alone, so that it stays so in every
    resample of films.

    Attributes:
        images (tuple[str, ...]): File of each film, '' where it is unknown.
        patients (tuple[str, ...]): Patient of each, '' where unknown.
        classes (tuple[str, ...]): Names of the classes.
        boxes (tuple[tuple[ClassBoxes, ...], ...]): Of each film the boxes of each class.
    """

    classes: tuple[str, ...]
    boxes: tuple[tuple[ClassBoxes, ...], ...]

    def truths(self) -> list[Hashable]:
        """Say what is true of each film.

        Returns:
            list[Hashable]: Its number of true boxes by class.
        """
        return [tuple(one.true_boxes for one in film) for film in self.boxes]

    def strata(self) -> list[str]:
        """Say which films are drawn among themselves.

        Returns:
            list[str]: Which classes a film truly shows.
        """
        return [
            ' and '.join(
                name for name, one in zip(self.classes, film, strict=True) if one.true_boxes
            )
            for film in self.boxes
        ]

    def take(self, order: Sequence[int]) -> 'DetectionPredictions':
        """Choose films.

        Args:
            order (Sequence[int]): Their places.

        Returns:
            DetectionPredictions: The chosen films, in this order.
        """
        return type(self)(
            tuple(self.images[place] for place in order),
            tuple(self.patients[place] for place in order),
            self.classes,
            tuple(self.boxes[place] for place in order),
        )

    def main_scores(self, counts: np.ndarray) -> np.ndarray:
        """Compute the mean average precision of resamples over the classes with a true box.

        Args:
            counts (np.ndarray): How often each film is drawn, integers of shape (R, N).

        Returns:
            np.ndarray: Between 0 and 1, shape (R,), NaN without a true box.
        """
        return mean_over_classes(self.average_precisions(counts))

    def average_precisions(self, counts: np.ndarray) -> np.ndarray:
        """Compute the average precision of each class in resamples of films.

        At the IoU at which the boxes were matched, with 101 points of recall, as pycocotools does:
        of each point the best precision at this recall or a larger one.

        Args:
            counts (np.ndarray): How often each film is drawn, integers of shape (R, N).

        Returns:
            np.ndarray: Between 0 and 1, shape (R, K), NaN where a class has no true box.
        """
        drawn = np.asarray(counts, dtype=np.float64)
        columns = [self._average_precision(drawn, place) for place in range(len(self.classes))]
        return np.stack(columns, axis=1)

    def _average_precision(self, counts: np.ndarray, place: int) -> np.ndarray:
        """Average precision of one class, shape (R,)."""
        own = [film[place] for film in self.boxes]
        true_boxes = counts @ np.array([one.true_boxes for one in own], dtype=np.float64)
        # The boxes of all films by falling score; of equal scores the earlier film's is first.
        films = np.repeat(np.arange(len(own)), [len(one.scores) for one in own])
        scores = np.array([score for one in own for score in one.scores])
        matched = np.array([hit for one in own for hit in one.matched], dtype=bool)
        order = np.argsort(-scores, kind='stable')
        films, matched = films[order], matched[order]
        # Precision rises at matched boxes alone, so that these are the points that count: of each
        # the films' matched and unmatched boxes that score as high, shape (N, points).
        points = np.flatnonzero(matched)
        precisions = np.where(true_boxes > 0, 0.0, np.nan)
        if not points.size:
            return precisions
        up_to = [np.zeros((len(own), points.size)) for _ in range(2)]
        for part, chosen in zip(up_to, (matched, ~matched), strict=True):
            ranks = np.searchsorted(points, np.flatnonzero(chosen))
            inside = ranks < points.size
            np.add.at(part, (films[chosen][inside], ranks[inside]), 1)
            np.cumsum(part, axis=1, out=part)
        right, wrong = counts @ up_to[0], counts @ up_to[1]
        precision = right / (right + wrong + np.spacing(1))
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        for row in np.flatnonzero(true_boxes > 0):
            reached = np.searchsorted(right[row] / true_boxes[row], _RECALLS)
            precisions[row] = best[row][reached[reached < points.size]].sum() / _RECALLS.size
        return precisions

    def write(self, path: Path) -> None:
        """Write a table with a row for each film and class.

        Its columns are image, patient, class, true_boxes (a number), scores and matched (1 or 0) of
        the predicted boxes, separated by spaces.

        Args:
            path (Path): The file (CSV); its folder exists. Scores are written exactly.
        """
        write_table(
            path,
            _COLUMNS,
            (
                (
                    image,
                    patient,
                    name,
                    one.true_boxes,
                    ' '.join(map(repr, one.scores)),
                    ' '.join(str(int(hit)) for hit in one.matched),
                )
                for image, patient, film in zip(self.images, self.patients, self.boxes, strict=True)
                for name, one in zip(self.classes, film, strict=True)
            ),
        )

    @classmethod
    def from_table(cls, heading: tuple[str, ...], rows: list[list[str]]) -> 'DetectionPredictions':
        """Make films of what ``write`` has written.

        Args:
            heading (tuple[str, ...]): Names of the columns.
            rows (list[list[str]]): The rows.

        Returns:
            DetectionPredictions: The films.

        Raises:
            ValueError: If it is no such table.
        """
        if heading != _COLUMNS:
            raise ValueError(f'its heading is not {",".join(_COLUMNS)}')
        classes = tuple(dict.fromkeys(row[2] for row in rows))
        films = [rows[start : start + len(classes)] for start in _starts(rows, classes)]
        return cls(
            tuple(film[0][0] for film in films),
            tuple(film[0][1] for film in films),
            classes,
            tuple(tuple(_boxes_of(*row[3:]) for row in film) for film in films),
        )


def _starts(rows: list[list[str]], classes: tuple[str, ...]) -> Iterable[int]:
    """Find each film's first row, and make sure that its rows are together."""
    for start in range(0, len(rows), max(1, len(classes))):
        film = rows[start : start + len(classes)]
        if tuple(row[2] for row in film) != classes or any(row[:2] != film[0][:2] for row in film):
            raise ValueError(f'{film[0][0]} does not have one row for each class')
        yield start


def _boxes_of(true_boxes: str, scores: str, matched: str) -> ClassBoxes:
    """Read the boxes of one film and class."""
    hits = tuple({'0': False, '1': True}.get(hit) for hit in matched.split())
    numbers = tuple(float(score) for score in scores.split())
    if None in hits or len(hits) != len(numbers):
        raise ValueError('scores and matched do not fit each other')
    return ClassBoxes(int(true_boxes), numbers, tuple(bool(hit) for hit in hits))

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What a classifier of two classes says about each film, and the table that keeps it."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from muscle_mm.evaluation.bootstrap import resampled_areas
from muscle_mm.evaluation.film_predictions import FilmPredictions, write_table
from muscle_mm.utils.errors import UserError

_COLUMNS = ('image', 'patient', 'study', 'label', 'score')


@dataclass(frozen=True)
class BinaryPredictions(FilmPredictions):
    """Scores of films, or of studies, with their truth.

    Attributes:
        images (tuple[str, ...]): File of each film, '' where it is unknown; of a study its name.
        patients (tuple[str, ...]): Patient of each, '' where unknown.
        studies (tuple[str, ...]): Study of each, '' where unknown.
        labels (np.ndarray): True classes, 0 or 1, int64, shape (N,).
        scores (np.ndarray): Scores of class 1, float64, shape (N,).
    """

    studies: tuple[str, ...]
    labels: np.ndarray
    scores: np.ndarray

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[str, str, str, int, float]]) -> 'BinaryPredictions':
        """Collect films.

        Args:
            rows (Iterable[tuple]): Of each film image, patient, study, label and score.

        Returns:
            BinaryPredictions: The films, in this order.
        """
        images, patients, studies, labels, scores = list(zip(*rows, strict=True)) or [()] * 5
        return cls(
            images,
            patients,
            studies,
            np.array(labels, dtype=np.int64),
            np.array(scores, dtype=np.float64),
        )

    def by_study(self) -> 'BinaryPredictions':
        """Average the scores of each study's films.

        The score of a study is the mean over its films, as in MURA (Rajpurkar et al., MIDL 2018).
        It is positive if one of its films is; in MURA all are labelled alike.

        Returns:
            BinaryPredictions: The studies, in the order of their first films. A film of no known
            study is a study of its own.
        """
        films: dict[str, list[int]] = defaultdict(list)
        for number, study in enumerate(self.studies):
            films[f'study {study}' if study else f'film {number}'].append(number)
        return BinaryPredictions.from_rows(
            (
                self.studies[own[0]] or self.images[own[0]],
                self.patients[own[0]],
                self.studies[own[0]],
                int(self.labels[own].max()),
                float(self.scores[own].mean()),
            )
            for own in films.values()
        )

    def truths(self) -> list[Hashable]:
        """Say what is true of each film.

        Returns:
            list[Hashable]: Its class.
        """
        return self.labels.tolist()

    def strata(self) -> list[str]:
        """Say which films are drawn among themselves.

        Returns:
            list[str]: The true class of each.
        """
        return [str(label) for label in self.labels]

    def take(self, order: Sequence[int]) -> 'BinaryPredictions':
        """Choose films.

        Args:
            order (Sequence[int]): Their places.

        Returns:
            BinaryPredictions: The chosen films, in this order.
        """
        places = list(order)
        return type(self)(
            tuple(self.images[place] for place in places),
            tuple(self.patients[place] for place in places),
            tuple(self.studies[place] for place in places),
            self.labels[places],
            self.scores[places],
        )

    def main_scores(self, counts: np.ndarray) -> np.ndarray:
        """Compute the area under the ROC curve of resamples.

        Args:
            counts (np.ndarray): How often each film is drawn, integers of shape (R, N).

        Returns:
            np.ndarray: Between 0 and 1, shape (R,), NaN where a class is absent.
        """
        return resampled_areas(self.labels, self.scores, counts)

    def write(self, path: Path) -> None:
        """Write a table with the columns image, patient, study, label and score.

        Args:
            path (Path): The file (CSV); its folder exists. Scores are written exactly.
        """
        columns = (self.labels.tolist(), self.scores.tolist())
        write_table(
            path,
            _COLUMNS,
            zip(self.images, self.patients, self.studies, *columns, strict=True),
        )

    @classmethod
    def from_table(cls, heading: tuple[str, ...], rows: list[list[str]]) -> 'BinaryPredictions':
        """Make films of what ``write`` has written.

        Args:
            heading (tuple[str, ...]): Names of the columns.
            rows (list[list[str]]): The rows.

        Returns:
            BinaryPredictions: The films.

        Raises:
            ValueError: If it is no such table.
        """
        if heading != _COLUMNS:
            raise ValueError(f'its heading is not {",".join(_COLUMNS)}')
        return cls.from_rows(
            (image, patient, study, int(label), float(score))
            for image, patient, study, label, score in rows
        )

    def check_same_films(self, other: 'BinaryPredictions') -> None:
        """Make sure that two models were tested on the same films, before a paired test.

        Folders may differ, because the same set may lie in another place on another machine.

        Args:
            other (BinaryPredictions): The predictions of the other model.

        Raises:
            UserError: If the films, their order or their labels differ.
        """
        if len(self.labels) != len(other.labels):
            raise UserError(
                f'the models were tested on {len(self.labels)} and {len(other.labels)} films. '
                'Test both on the same split.'
            )
        for number, (first, second) in enumerate(zip(self._keys(), other._keys(), strict=True)):
            if first != second:
                raise UserError(
                    f'the models were tested on other films: row {number + 1} is {first} for the '
                    f'one and {second} for the other (image, patient, study, label). Test both on '
                    'the same split.'
                )

    def _keys(self) -> list[tuple[str, str, str, int]]:
        """Tell each film by what does not depend on model and machine."""
        names = [Path(image).name for image in self.images]
        labels = self.labels.tolist()
        return list(zip(names, self.patients, self.studies, labels, strict=True))

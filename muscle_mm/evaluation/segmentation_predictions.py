# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Areas of each film's masks, and the table that keeps them."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from muscle_mm.evaluation.film_predictions import (
    FilmPredictions,
    mean_over_classes,
    write_table,
)

_AREAS = ('intersection', 'predicted', 'true')


@dataclass(frozen=True)
class SegmentationPredictions(FilmPredictions):
    """Areas of films, from whose sums Dice and mean IoU of any choice of films follow.

    Attributes:
        images (tuple[str, ...]): File of each film, '' where it is unknown.
        patients (tuple[str, ...]): Patient of each, '' where unknown.
        classes (tuple[str, ...]): Names of the classes, first the one whose Dice counts.
        areas (np.ndarray): Of each film and class the pixels in prediction and truth, in the
            prediction, and in the truth, without ignored pixels; int64, shape (N, K, 3).
    """

    classes: tuple[str, ...]
    areas: np.ndarray

    @classmethod
    def from_rows(
        cls, classes: Sequence[str], rows: Iterable[tuple[str, str, np.ndarray]]
    ) -> 'SegmentationPredictions':
        """Collect films.

        Args:
            classes (Sequence[str]): Names of the classes, first the one whose Dice counts.
            rows (Iterable[tuple]): Of each film image, patient, and areas, shape (K, 3).

        Returns:
            SegmentationPredictions: The films, in this order.
        """
        images, patients, areas = list(zip(*rows, strict=True)) or [()] * 3
        table = np.array(areas, dtype=np.int64).reshape(len(images), len(classes), len(_AREAS))
        return cls(tuple(images), tuple(patients), tuple(classes), table)

    def truths(self) -> list[Hashable]:
        """Say what is true of each film.

        Returns:
            list[Hashable]: The true areas of its classes.
        """
        return [tuple(areas) for areas in self.areas[:, :, 2].tolist()]

    def strata(self) -> list[str]:
        """Say which films are drawn among themselves.

        Returns:
            list[str]: Whether a film truly shows the class whose Dice counts.
        """
        return ['with' if area else 'without' for area in self.areas[:, 0, 2]]

    def take(self, order: Sequence[int]) -> 'SegmentationPredictions':
        """Choose films.

        Args:
            order (Sequence[int]): Their places.

        Returns:
            SegmentationPredictions: The chosen films, in this order.
        """
        return type(self)(
            tuple(self.images[place] for place in order),
            tuple(self.patients[place] for place in order),
            self.classes,
            self.areas[list(order)],
        )

    def main_scores(self, counts: np.ndarray) -> np.ndarray:
        """Compute the Dice of resamples, summed over their films.

        Args:
            counts (np.ndarray): How often each film is drawn, integers of shape (R, N).

        Returns:
            np.ndarray: Between 0 and 1, shape (R,), NaN where no pixel is of the class.
        """
        both, predicted, true = np.moveaxis(self._totals(counts)[:, 0], -1, 0)
        return _ratio(2 * both, predicted + true)

    def mean_iou(self, counts: np.ndarray) -> np.ndarray:
        """Compute the mean over the classes of the intersection over union of resamples.

        Args:
            counts (np.ndarray): How often each film is drawn, integers of shape (R, N).

        Returns:
            np.ndarray: Between 0 and 1, shape (R,). A class without a pixel in prediction and
            truth is left out.
        """
        both, predicted, true = np.moveaxis(self._totals(counts), -1, 0)
        return mean_over_classes(_ratio(both, predicted + true - both))

    def write(self, path: Path) -> None:
        """Write a table with image, patient, and of each class the three areas in pixels.

        Args:
            path (Path): The file (CSV); its folder exists.
        """
        rows = self.areas.reshape(len(self.images), len(self.classes) * len(_AREAS)).tolist()
        write_table(
            path,
            ['image', 'patient', *(f'{name} {area}' for name in self.classes for area in _AREAS)],
            (
                [image, patient, *areas]
                for image, patient, areas in zip(self.images, self.patients, rows, strict=True)
            ),
        )

    @classmethod
    def from_table(
        cls, heading: tuple[str, ...], rows: list[list[str]]
    ) -> 'SegmentationPredictions':
        """Make films of what ``write`` has written.

        Args:
            heading (tuple[str, ...]): Names of the columns.
            rows (list[list[str]]): The rows.

        Returns:
            SegmentationPredictions: The films.

        Raises:
            ValueError: If it is no such table.
        """
        classes = [name.removesuffix(f' {_AREAS[0]}') for name in heading[2 :: len(_AREAS)]]
        expected = [f'{name} {area}' for name in classes for area in _AREAS]
        if heading != ('image', 'patient', *expected) or not classes:
            raise ValueError('its heading is not image,patient and three areas of each class')
        return cls.from_rows(
            classes,
            (
                (image, patient, np.array(areas, dtype=np.int64).reshape(-1, len(_AREAS)))
                for image, patient, *areas in rows
            ),
        )

    def _totals(self, counts: np.ndarray) -> np.ndarray:
        """Sum the areas of resamples: int64, shape (R, K, 3)."""
        return np.tensordot(np.asarray(counts, dtype=np.int64), self.areas, axes=1)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide; NaN where the whole is zero."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole != 0)

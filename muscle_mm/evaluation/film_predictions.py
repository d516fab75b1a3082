# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What the tables of all tasks have in common: rows of films, which can be drawn with patients."""

import csv
import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from muscle_mm.utils.errors import UserError
from muscle_mm.utils.whole_file import whole_file

Self = TypeVar('Self', bound='FilmPredictions')


@dataclass(frozen=True)
class FilmPredictions(ABC):
    """What a model gave for each test film, as far as its main score needs it.

    Attributes:
        images (tuple[str, ...]): File of each film, '' where it is unknown.
        patients (tuple[str, ...]): Patient of each, '' where unknown.
    """

    images: tuple[str, ...]
    patients: tuple[str, ...]

    def units(self) -> list[str]:
        """Name the patient of each film for ``draw_patients``.

        Returns:
            list[str]: A film of no known patient is a patient of its own.
        """
        # The prefix keeps a patient called '3' apart from the film of that number.
        return [
            f'patient {patient}' if patient else f'film {number}'
            for number, patient in enumerate(self.patients)
        ]

    def names(self) -> list[str]:
        """Name each film by its path below the folder that all films share.

        The same set may lie in another place on another machine.

        Returns:
            list[str]: Unique names. A file with several films has a number behind its second.

        Raises:
            UserError: If a film's file is unknown.
        """
        if not all(self.images):
            raise UserError(
                f'{self.images.count("")} of {len(self.images)} films have no file name: add '
                "'img_path' to meta_keys of the transform that packs the test's samples."
            )
        if not self.images:
            return []
        folder = os.path.commonpath([os.path.dirname(image) for image in self.images])
        seen: Counter[str] = Counter()
        names = []
        for image in self.images:
            name = os.path.relpath(image, folder) if folder else image
            seen[name] += 1
            names.append(name if seen[name] == 1 else f'{name} ({seen[name]})')
        return names

    @abstractmethod
    def truths(self) -> list[Hashable]:
        """Say what is true of each film, which no model changes.

        Returns:
            list[Hashable]: One value for each film.
        """

    @abstractmethod
    def strata(self) -> list[str]:
        """Say which films ``draw_patients`` draws among themselves.

        Returns:
            list[str]: A stratum for each film, so that every resample has a score.
        """

    @abstractmethod
    def take(self: Self, order: Sequence[int]) -> Self:
        """Choose films.

        Args:
            order (Sequence[int]): Their places.

        Returns:
            FilmPredictions: The chosen films, in this order.
        """

    @abstractmethod
    def main_scores(self, counts: np.ndarray) -> np.ndarray:
        """Compute the main measure of the task for resamples of films.

        Args:
            counts (np.ndarray): How often each film is drawn, integers of shape (R, N), see
                ``draw_patients``.

        Returns:
            np.ndarray: A score between 0 and 1 for each resample, shape (R,), NaN where it is not
            defined.
        """

    @abstractmethod
    def write(self, path: Path) -> None:
        """Write a table.

        Args:
            path (Path): The file (CSV); its folder exists. Numbers are written exactly.
        """

    @classmethod
    @abstractmethod
    def from_table(cls: type[Self], heading: tuple[str, ...], rows: list[list[str]]) -> Self:
        """Make films of what ``write`` has written.

        Args:
            heading (tuple[str, ...]): Names of the columns.
            rows (list[list[str]]): The rows.

        Returns:
            FilmPredictions: The films.

        Raises:
            ValueError: If it is no such table.
        """

    @classmethod
    def read(cls: type[Self], path: Path) -> Self:
        """Read a table that ``write`` has written.

        Args:
            path (Path): The file (CSV).

        Returns:
            FilmPredictions: The films.

        Raises:
            UserError: If the file is missing or is no such table.
        """
        try:
            return cls.from_table(*_read_table(path))
        except (OSError, ValueError) as error:
            raise UserError(
                f'{path} cannot be read as a table of predictions ({error}). '
                'muscle_mm.TestPredictionsHook writes it when a model is tested.'
            ) from error


def write_table(path: Path, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV whole or not at all.

    Args:
        path (Path): The file; its folder exists.
        heading (Sequence[str]): Names of the columns.
        rows (Iterable[Sequence[Any]]): The rows. Numbers are written exactly.
    """
    with whole_file(path) as unfinished, open(unfinished, 'w', newline='', encoding='utf-8') as f:
        writer = csv.writer(f, lineterminator='\n')
        writer.writerow(heading)
        writer.writerows(rows)


def mean_over_classes(values: np.ndarray) -> np.ndarray:
    """Average over the classes that have a value.

    Args:
        values (np.ndarray): Shape (R, K), NaN where a class has no value.

    Returns:
        np.ndarray: Shape (R,), NaN where no class has a value.
    """
    known = ~np.isnan(values)
    sums, number = np.where(known, values, 0).sum(axis=1), known.sum(axis=1)
    return np.divide(sums, number, out=np.full(len(sums), np.nan), where=number > 0)


def _read_table(path: Path) -> tuple[tuple[str, ...], list[list[str]]]:
    """Read a CSV that ``write_table`` has written.

    Args:
        path (Path): The file.

    Returns:
        tuple[tuple[str, ...], list[list[str]]]: The heading and the rows.

    Raises:
        OSError: If the file cannot be opened.
        ValueError: If it is no such table, or is cut off.
    """
    with open(path, newline='', encoding='utf-8') as file:
        text = file.read()
    if not text.endswith('\n'):
        # A number that is cut off is still a number.
        raise ValueError('its last line is cut off' if text else 'it is empty')
    try:
        heading, *rows = csv.reader(text.splitlines(keepends=True))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    if any(len(row) != len(heading) for row in rows):
        raise ValueError('a row has not as many fields as the heading')
    return tuple(heading), rows

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What each kind of model writes about a film."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from muscle_mm.prediction.film_reader import ReadFilm
from muscle_mm.prediction.trained_model import TrainedModel
from muscle_mm.reporting.film_marks import short_name, show_film
from muscle_mm.reporting.style import figure

_HEIGHT = 6.0  # of a film in a picture, in inches
_LEAST_WIDTH, _MOST_WIDTH = 4.0, 10.0


class TaskOutput(ABC):
    """Turns the predictions of one kind of model into a table and pictures.

    Args:
        trained (TrainedModel): The model.
    """

    def __init__(self, trained: TrainedModel) -> None:
        self.trained = trained

    @property
    @abstractmethod
    def columns(self) -> list[str]:
        """list[str]: Columns of the table besides the file and its problem."""

    @property
    def about(self) -> dict[str, Any]:
        """dict[str, Any]: What holds for all films, for the JSON file."""
        return {}

    @abstractmethod
    def record(self, sample: Any, film: ReadFilm) -> dict[str, Any]:
        """Describe a prediction.

        Args:
            sample (Any): The toolbox's data sample with the prediction.
            film (ReadFilm): The film.

        Returns:
            dict[str, Any]: Plain data, for JSON.
        """

    @abstractmethod
    def rows(self, record: dict[str, Any]) -> list[dict[str, Any]]:
        """Turn a record into rows of the table.

        Args:
            record (dict[str, Any]): See ``record``.

        Returns:
            list[dict[str, Any]]: At least one row, with values for some of the columns.
        """

    def save(self, sample: Any, film: ReadFilm, out: Path) -> dict[str, str]:
        """Write files besides the table and the picture.

        Args:
            sample (Any): The prediction.
            film (ReadFilm): The film.
            out (Path): The folder of the run.

        Returns:
            dict[str, str]: Their paths below the folder, by the name of a column.
        """
        return {}

    def heat_maps(self, samples: list[Any], inputs: torch.Tensor) -> list[torch.Tensor | None]:
        """Compute what a picture shows besides the prediction.

        Args:
            samples (list): The predictions of a batch.
            inputs (Tensor): What the network got, (N, 3, H, W).

        Returns:
            list[Tensor | None]: For each film (h, w) float32 from 0 to 1, or None.
        """
        return [None] * len(samples)

    @abstractmethod
    def draw(
        self,
        sample: Any,
        record: dict[str, Any],
        film: ReadFilm,
        heat: torch.Tensor | None,
        path: Path,
    ) -> None:
        """Draw a prediction over its film.

        Args:
            sample (Any): The prediction.
            record (dict[str, Any]): See ``record``.
            film (ReadFilm): The film.
            heat (Tensor, optional): See ``heat_maps``.
            path (Path): The picture, a PNG.
        """


@contextmanager
def film_figure(path: Path, film: ReadFilm, headline: str, panels: int = 1) -> Iterator[list[Any]]:
    """Draw a film once or several times side by side, below a headline and the file's name.

    Args:
        path (Path): The picture.
        film (ReadFilm): The film.
        headline (str): What the model says.
        panels (int): How many times. Defaults to 1.

    Yields:
        list[Any]: The panels.
    """
    assert film.shown is not None
    height, width = film.shown.shape
    size = (min(max(_HEIGHT * width / height, _LEAST_WIDTH), _MOST_WIDTH), _HEIGHT)
    characters = int(9 * size[0] * panels)
    with warnings.catch_warnings(), figure(path, 1, panels, size) as axes:
        # A name in a script that the font lacks is drawn as boxes, without a warning for each.
        warnings.filterwarnings('ignore', message='Glyph .* missing from font')
        row = list(axes[0])
        for axis in row:
            show_film(axis, film.shown)
            # A film that is white at its edge still ends somewhere.
            axis.spines[:].set(visible=True, color='0.6')
        drawing = row[0].figure
        drawing.suptitle(short_name(headline, 10**6), fontsize=18).set_parse_math(False)
        name = short_name(film.file.name, characters)
        drawing.supxlabel(name, fontsize=10).set_parse_math(False)
        yield row

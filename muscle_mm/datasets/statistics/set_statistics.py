# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Statistics of the training images of one set, or of several together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from muscle_mm.datasets.statistics.film import GREY_VALUES, FilmStatistics


class Spread(NamedTuple):
    """Smallest, middle and largest of some numbers."""

    min: float
    median: float
    max: float

    @classmethod
    def of(cls, numbers: Iterable[float]) -> Spread:
        """Measure numbers.

        Args:
            numbers (Iterable[float]): At least one.

        Returns:
            Spread: Of them.
        """
        values = np.fromiter(numbers, dtype=np.float64)
        return cls(float(values.min()), float(np.median(values)), float(values.max()))


@dataclass
class SetStatistics:
    """Counts over training images; the properties are for at least one readable image.

    Mean and standard deviation are those of a pixel drawn from a film drawn at random: each film
    counts equally, whatever its size, because the models see all films resized to one size.

    Attributes:
        name (str): Of the set.
        classes (tuple[str, ...]): In the order of the labels.
        grey_values (np.ndarray): (256,), float64: for each grey value the shares of the films'
            pixels, added up over the films.
        heights (list[int]): Of each readable image, in pixels.
        widths (list[int]): The same.
        bits (Counter): Bits stored for each pixel to number of images; None where the manifest does
            not say.
        class_counts (Counter): Images, or for detection boxes, of each class.
        counts_boxes (bool): Whether ``class_counts`` counts boxes.
        object_shares (list[float]): Share of object pixels in each mask.
        unreadable (list[tuple[str, str]]): Path and reason of the images left out.
    """

    name: str
    classes: tuple[str, ...] = ()
    grey_values: np.ndarray = field(default_factory=lambda: np.zeros(GREY_VALUES))
    heights: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    bits: Counter[int | None] = field(default_factory=Counter)
    class_counts: Counter[str] = field(default_factory=Counter)
    counts_boxes: bool = False
    object_shares: list[float] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def add(self, sample: dict[str, Any], film: FilmStatistics) -> None:
        """Count one more image.

        Args:
            sample (dict): Of an ``XrayDataset``.
            film (FilmStatistics): Its counts.
        """
        if film.problem is not None:
            self.unreadable.append((sample['img_path'], film.problem))
            return
        self.grey_values += film.pixels / film.pixels.sum()
        self.heights.append(film.height)
        self.widths.append(film.width)
        self.bits[sample.get('bits')] += 1
        if film.object_share is not None:
            self.object_shares.append(film.object_share)
        if 'gt_label' in sample:
            self.class_counts[self.classes[sample['gt_label']]] += 1
        for instance in sample.get('instances', ()):
            self.counts_boxes = True
            self.class_counts[self.classes[instance['bbox_label']]] += 1

    @classmethod
    def together(cls, sets: Iterable[SetStatistics]) -> SetStatistics:
        """Add up sets, each image of which counts once; classes of several sets are not compared.

        Args:
            sets (Iterable[SetStatistics]): The sets.

        Returns:
            SetStatistics: Named 'together'.
        """
        total = cls('together')
        for one in sets:
            total.grey_values += one.grey_values
            total.heights += one.heights
            total.widths += one.widths
            total.bits += one.bits
            total.unreadable += one.unreadable
        return total

    @property
    def images(self) -> int:
        """Readable training images."""
        return len(self.heights)

    @property
    def distribution(self) -> np.ndarray:
        """(256,), float64: probability of each grey value; adds up to 1."""
        return self.grey_values / self.images

    @property
    def mean(self) -> float:
        """Mean grey value, on the 0-255 scale."""
        return float(self.distribution @ np.arange(GREY_VALUES))

    @property
    def std(self) -> float:
        """Standard deviation of the grey values, on the 0-255 scale."""
        squares = (np.arange(GREY_VALUES) - self.mean) ** 2
        return float(np.sqrt(self.distribution @ squares))

    @property
    def height(self) -> Spread:
        """In pixels."""
        return Spread.of(self.heights)

    @property
    def width(self) -> Spread:
        """In pixels."""
        return Spread.of(self.widths)

    @property
    def aspect_ratio(self) -> Spread:
        """Width divided by height."""
        return Spread.of(np.divide(self.widths, self.heights))

    @property
    def object_share(self) -> float | None:
        """Mean share of object pixels in the masks; None without masks."""
        return float(np.mean(self.object_shares)) if self.object_shares else None

    def as_dict(self) -> dict[str, Any]:
        """Give everything in types that JSON knows.

        Returns:
            dict[str, Any]: Counts and, where there is an image, measures.
        """
        content: dict[str, Any] = {
            'name': self.name,
            'images': self.images,
            'unreadable': [
                {'img_path': path, 'reason': reason} for path, reason in self.unreadable
            ],
        }
        if self.images:
            content |= {
                'mean': self.mean,
                'std': self.std,
                'height': self.height._asdict(),
                'width': self.width._asdict(),
                'aspect_ratio': self.aspect_ratio._asdict(),
                'bits': {str(bits or 'unknown'): n for bits, n in self.bits.items()},
                'boxes' if self.counts_boxes else 'classes': dict(self.class_counts),
                'object_share': self.object_share,
                'grey_values': self.distribution.tolist(),
            }
        return content

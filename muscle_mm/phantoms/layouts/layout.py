# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What every published layout has in common."""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class FilmPlan:
    """One film that will be written; its pixels follow from this, the seed and the size alone.

    Args:
        path (str): Where it goes, relative to the set's folder.
        patient (int): Number of the patient, from 1.
        image (int): Number of the film among the patient's, from 0.
        label (str): What the set says about it; the meaning is the set's own. Default: ''.
        view (str): The body part, where a set has several. Default: ''.
        part (str): The published part, such as 'train'. Default: ''.
    """

    path: str
    patient: int
    image: int
    label: str = ''
    view: str = ''
    part: str = ''


class Layout(ABC):
    """Writes phantoms the way one public set lies on disk.

    Attributes:
        name (str): The set's class name in ``muscle_mm.datasets``.
        folder (str): The set's folder under the data root.
        default_count (int): Films at scale 1.
    """

    name: ClassVar[str]
    folder: ClassVar[str]
    default_count: ClassVar[int]

    @abstractmethod
    def plan(self, count: int, seed: int) -> list[FilmPlan]:
        """Decide which films there are.

        Args:
            count (int): Films wanted, at least 2.
            seed (int): The seed of the phantoms.

        Returns:
            list[FilmPlan]: The films, in a fixed order.
        """

    @abstractmethod
    def write_film(self, root: Path, film: FilmPlan, size: int, seed: int) -> dict[str, Any]:
        """Draw one film and write it, with its mask where the set has masks.

        Args:
            root (Path): The set's folder.
            film (FilmPlan): The film.
            size (int): Typical length of its shorter side.
            seed (int): The seed of the phantoms.

        Returns:
            dict[str, Any]: What the tables need to know, such as 'width' and 'height'.
        """

    @abstractmethod
    def write_tables(
        self, root: Path, films: list[FilmPlan], facts: list[dict[str, Any]], seed: int
    ) -> None:
        """Write the lists, tables and reports that accompany the films.

        Args:
            root (Path): The set's folder.
            films (list[FilmPlan]): All films, as planned.
            facts (list[dict[str, Any]]): What ``write_film`` said of each.
            seed (int): The seed of the phantoms.
        """

    def generator(self, seed: int, *keys: int) -> np.random.Generator:
        """Make the source of randomness for one patient or one film of this set.

        Args:
            seed (int): The seed of the phantoms.
            *keys (int): The patient, or the patient and the film.

        Returns:
            np.random.Generator: The same for the same arguments, whoever asks.
        """
        return np.random.default_rng([seed, zlib.crc32(self.name.encode()), *keys])


def draw_shape(rng: np.random.Generator, size: int, aspect: tuple[float, float]) -> tuple[int, int]:
    """Draw a film's height and width.

    Args:
        rng (np.random.Generator): The source of randomness.
        size (int): Typical length of the shorter side; drawn from 0.875 to 1.25 of it.
        aspect (tuple[float, float]): Range of width / height.

    Returns:
        tuple[int, int]: (height, width).
    """
    short = size * rng.uniform(0.875, 1.25)
    ratio = rng.uniform(*aspect)
    height, width = (short, short * ratio) if ratio >= 1 else (short / ratio, short)
    return max(8, round(height)), max(8, round(width))


def deal(total: int, shares: dict[str, float]) -> dict[str, int]:
    """Split a number by shares, so that none that can have one goes without.

    Args:
        total (int): The number.
        shares (dict[str, float]): Share of each key; they need not sum to 1.

    Returns:
        dict[str, int]: Whole numbers that sum to the total.
    """
    least = 1 if total >= len(shares) else 0
    exact = {key: total * share / sum(shares.values()) for key, share in shares.items()}
    dealt = {key: max(least, int(value)) for key, value in exact.items()}
    while (left := total - sum(dealt.values())) != 0:
        step = 1 if left > 0 else -1
        able = [key for key in dealt if step > 0 or dealt[key] > least]
        dealt[max(able, key=lambda key: step * (exact[key] - dealt[key]))] += step
    return dealt


def group_by_patient(
    count: int, rng: np.random.Generator, chances: tuple[float, ...] = (0.6, 0.25, 0.15)
) -> Iterator[int]:
    """Deal films to patients.

    Args:
        count (int): Films in all.
        rng (np.random.Generator): The source of randomness.
        chances (tuple[float, ...]): Chance that a patient has 1, 2, ... films.

    Yields:
        int: Films of the next patient; they sum to the count.
    """
    left = count
    while left > 0:
        films = min(left, int(rng.choice(len(chances), p=chances)) + 1)
        yield films
        left -= films


def save_film(path: Path, pixels: np.ndarray, bits: int = 8, colour: bool = False) -> None:
    """Write a film as PNG or JPEG, by the ending of its name.

    Args:
        path (Path): Where to; its folder is made.
        pixels (np.ndarray): (H, W) floats in [0, 1].
        bits (int): Depth: 8, or up to 16 for a 16-bit PNG. Default: 8.
        colour (bool): Whether to write three equal channels. Default: False.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.round(np.clip(pixels, 0, 1) * (2**bits - 1))
    image = Image.fromarray(levels.astype(np.uint8 if bits == 8 else np.uint16))
    if colour:
        image = image.convert('RGB')
    if path.suffix == '.jpeg':
        image.save(path, quality=92)
    else:
        image.save(path, compress_level=1)


def save_mask(path: Path, mask: np.ndarray) -> None:
    """Write a mask as an 8-bit PNG of 0 and 255.

    Args:
        path (Path): Where to; its folder is made.
        mask (np.ndarray): (H, W) bool.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask.astype(np.uint8) * 255).save(path, compress_level=3)

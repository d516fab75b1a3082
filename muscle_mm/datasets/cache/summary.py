# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What a cache holds."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class CacheSummary(NamedTuple):
    """What a cache holds; ``str()`` is the report for the user.

    Attributes:
        pixels (Path): Its file.
        size (int): Shorter side of a film in it, in pixels.
        images (int): Films.
        added (int): Films that this build has read.
    """

    pixels: Path
    size: int
    images: int
    added: int

    def __str__(self) -> str:
        megabytes = self.pixels.stat().st_size / 1e6
        return (
            f'  cache of {self.size} pixels: {self.images:,} images ({self.added:,} new), '
            f'{megabytes:,.1f} MB, {self.pixels}'
        )

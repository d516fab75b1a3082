# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The two files of a cache: pixels one film after the other, and where each film lies in them.

Beside a manifest lie ``cache_512.bin``, raw grey values without any header, and
``cache_512.json``::

    {
    "version": 1,
    "size": 512,
    "images": {
    "chest/IM-0115.jpeg": {"crc32": 907060870, "height": 512, "offset": 0, "sha256": "...", ...},
    ...
    }}

The pixels only ever grow at their end, and the index is replaced as a whole. Whatever interrupts
a build, the index tells the truth.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from muscle_mm.datasets.cache.mapped_pixels import CachedFilm
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.whole_file import whole_file

#: Raised when the same file would give other pixels than before.
CACHE_VERSION = 1


class CacheEntry(NamedTuple):
    """Where a film lies in the pixels, and what it was made of.

    Attributes:
        sha256 (str): Of the film's file.
        frame (int, optional): Its frame, of a file that holds several.
        offset (int): Where its pixels begin, in bytes.
        height (int): In pixels.
        width (int): In pixels.
        crc32 (int): Check sum of the pixels.
    """

    sha256: str
    frame: int | None
    offset: int
    height: int
    width: int
    crc32: int

    @property
    def end(self) -> int:
        """Where its pixels end, in bytes."""
        return self.offset + self.height * self.width


class CacheFiles(NamedTuple):
    """The files of a cache.

    Attributes:
        folder (Path): Of the manifest.
        size (int): Shorter side of a film in the cache, in pixels.
    """

    folder: Path
    size: int

    @property
    def index_path(self) -> Path:
        """Where each film lies."""
        return self.folder / f'cache_{self.size}.json'

    @property
    def pixels_path(self) -> Path:
        """Grey values."""
        return self.folder / f'cache_{self.size}.bin'

    @property
    def command(self) -> str:
        """What builds the cache, or brings it up to date."""
        folder = shlex.quote(str(self.folder))
        return f'python tools/prepare_dataset.py --out {folder} --cache {self.size}'

    def film(self, entry: CacheEntry) -> CachedFilm:
        """Say where to find a film.

        Args:
            entry (CacheEntry): Of the film.

        Returns:
            CachedFilm: With all that a worker needs to know.
        """
        return CachedFilm(
            str(self.pixels_path), entry.offset, entry.height, entry.width, entry.crc32
        )

    def write_index(self, entries: Mapping[str, CacheEntry]) -> None:
        """Replace the index as a whole.

        Args:
            entries (Mapping[str, CacheEntry]): By ``img_path``, as in the manifest.
        """
        lines = [
            f'{json.dumps(name)}: {json.dumps(entry._asdict(), sort_keys=True)}'
            for name, entry in sorted(entries.items())
        ]
        heading = f'"version": {CACHE_VERSION},\n"size": {self.size},\n"images": {{\n'
        text = '{\n' + heading + ',\n'.join(lines) + '\n}}\n'
        with whole_file(self.index_path) as unfinished:
            unfinished.write_text(text, encoding='ascii')

    def read_index(self) -> dict[str, CacheEntry]:
        """Read the index.

        Returns:
            dict[str, CacheEntry]: By ``img_path``, as in the manifest.

        Raises:
            UserError: If there is none, or it is not one that this version understands.
        """
        try:
            content = json.loads(self.index_path.read_bytes())
            if content['version'] != CACHE_VERSION or content['size'] != self.size:
                raise UserError(
                    f'the cache {self.index_path} is of another version. Build it again: '
                    f'{self.command}'
                )
            entries = {name: CacheEntry(**entry) for name, entry in content['images'].items()}
            length = self.pixels_path.stat().st_size
            if not all(0 <= entry.offset <= entry.end <= length for entry in entries.values()):
                raise ValueError(f'{self.pixels_path.name} is too short')
        except FileNotFoundError as error:
            raise UserError(
                f'the cache {error.filename} does not exist. Build it: {self.command}'
            ) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f'the cache {self.index_path} cannot be read ({error}). Build it again: '
                f'{self.command}'
            ) from error
        return entries

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Add films to a cache."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import numpy as np

from muscle_mm.datasets.cache.index import CacheEntry, CacheFiles

#: At most so much work is lost when the process is killed.
_SECONDS_BETWEEN_SAVES = 30


class CacheWriter:
    """Append films to the pixels, and write the index now and then and at the end.

    Args:
        files (CacheFiles): The cache.
        entries (Mapping[str, CacheEntry]): Films that are in it already.
        end (int): Where to go on, in bytes; what lies behind, the rest of an interrupted build, is
            cut off.

    Raises:
        OSError: If the files cannot be written; so also later.
    """

    def __init__(self, files: CacheFiles, entries: Mapping[str, CacheEntry], end: int) -> None:
        self._files = files
        self._entries = dict(entries)
        self._end = end
        # Unbuffered: a film is in the file, or the disk is full, when it has been added.
        self._file = open(files.pixels_path, 'ab', buffering=0)  # noqa: SIM115
        self._file.truncate(self._end)
        self._saved = time.monotonic()

    def __enter__(self) -> CacheWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        stack: TracebackType | None,
    ) -> None:
        try:
            self._save()
        finally:
            self._file.close()

    def add(self, record: Mapping[str, Any], film: np.ndarray) -> None:
        """Append a film.

        Args:
            record (Mapping): Of the manifest.
            film (np.ndarray): (H, W), uint8.
        """
        height, width = film.shape
        data = memoryview(film.tobytes())
        entry = CacheEntry(
            sha256=record['sha256'],
            frame=record.get('frame'),
            offset=self._end,
            height=height,
            width=width,
            crc32=zlib.crc32(data),
        )
        while data:
            data = data[self._file.write(data) :]
        self._entries[record['img_path']] = entry
        self._end = entry.end
        if time.monotonic() - self._saved > _SECONDS_BETWEEN_SAVES:
            self._save()

    def _save(self) -> None:
        """Bring the pixels to the disk, and only then the index that speaks of them."""
        # A film that found the disk full is there in part.
        self._file.truncate(self._end)
        os.fsync(self._file.fileno())
        self._files.write_index(self._entries)
        self._saved = time.monotonic()

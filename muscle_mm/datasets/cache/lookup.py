# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Find the films of a manifest in its cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from muscle_mm.datasets.cache.index import CacheEntry, CacheFiles
from muscle_mm.datasets.cache.mapped_pixels import CachedFilm
from muscle_mm.utils.errors import UserError


def cached_films(
    folder: str | Path, size: int, records: Sequence[Mapping[str, Any]]
) -> list[CachedFilm]:
    """Find films in the cache beside a manifest.

    Args:
        folder (str | Path): Of the manifest.
        size (int): Shorter side of a film in the cache, in pixels.
        records (Sequence[Mapping]): Records of the manifest.

    Returns:
        list[CachedFilm]: One a record.

    Raises:
        UserError: If there is no such cache, or a film in it is not that of the manifest; the
            message names the command that builds the cache.
    """
    files = CacheFiles(Path(folder), size)
    entries = files.read_index()
    stale = [record['img_path'] for record in records if not is_current(entries, record)]
    if stale:
        raise UserError(
            f'the cache {files.index_path} is not up to date: {len(stale)} of {len(records)} '
            f'images are not in it, or have changed since, the first {stale[0]!r}. Bring it up to '
            f'date: {files.command}'
        )
    return [files.film(entries[record['img_path']]) for record in records]


def is_current(entries: Mapping[str, CacheEntry], record: Mapping[str, Any]) -> bool:
    """Say whether a film in a cache was made of the file that a manifest describes.

    Args:
        entries (Mapping[str, CacheEntry]): The index.
        record (Mapping): Of the manifest.

    Returns:
        bool: False, too, if it is not in the cache.
    """
    entry = entries.get(record['img_path'])
    return (
        entry is not None
        and entry.sha256 == record.get('sha256')
        and entry.frame == record.get('frame')
    )

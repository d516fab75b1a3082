# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Build a cache, or bring it up to date."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from muscle_mm.datasets.cache.index import CacheEntry, CacheFiles
from muscle_mm.datasets.cache.lookup import is_current
from muscle_mm.datasets.cache.mapped_pixels import MappedPixels
from muscle_mm.datasets.cache.shrink import lost_film, shrunk_film, shrunk_shape
from muscle_mm.datasets.cache.summary import CacheSummary
from muscle_mm.datasets.cache.writer import CacheWriter
from muscle_mm.datasets.manifest import read_manifest
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.locked_folder import locked_folder
from muscle_mm.utils.parallel import map_files, worker_count

#: The pixels are written anew when more than this share of them is of no more use.
_LARGEST_WASTE = 0.5

Record = Mapping[str, Any]


def build_cache(
    manifest_path: str | Path, size: int, workers: int | None = None, progress: bool = True
) -> CacheSummary:
    """Decode all films of a manifest, shrink them and write them beside it as one file.

    The shorter side of a film becomes ``size`` pixels, by the mean of the pixels that become one; a
    smaller film stays as it is. Only films that are missing or damaged in the cache, or whose file
    the manifest describes with another sha256, are read: a build that was ended goes on, and a
    second one reads what is new. The films are written as they come; the memory needed does not
    grow with their number.

    Args:
        manifest_path (str | Path): The manifest.
        size (int): In pixels.
        workers (int, optional): Processes. Defaults to None: one a processor.
        progress (bool): Show progress bars. Defaults to True.

    Returns:
        CacheSummary: What is in the cache.

    Raises:
        UserError: If the manifest or the images are missing, a file cannot be read or has changed,
            the disk is too small or cannot be written, or another process builds the same cache.
            What was finished is kept.
    """
    if size < 1:
        raise UserError(f'cache size {size} must be at least 1 pixel.')
    processes = worker_count(workers)
    metainfo, records = read_manifest(manifest_path)
    folder = Path(os.path.realpath(manifest_path)).parent
    images = os.path.normpath(folder / metainfo.get('source_root', '.'))
    if not os.path.isdir(images):
        raise UserError(
            f"the images' folder {images}, named in {manifest_path} (source_root), does not exist. "
            'Put it back, or prepare the set again.'
        )
    files = CacheFiles(folder, size)
    try:
        with locked_folder(folder):
            kept, end = _kept(files, records, progress)
            missing = [record for record in records if record['img_path'] not in kept]
            _check_space(files, missing)
            problems = []
            films = _films(missing, images, size, processes)
            with CacheWriter(files, kept, end) as writer:
                for record, film in tqdm(
                    zip(missing, films, strict=True),
                    total=len(missing),
                    desc=f'cache of {size} pixels',
                    unit='image',
                    disable=not (progress and missing),
                ):
                    if isinstance(film, str):
                        problems.append(f'{record["img_path"]}: {film}')
                    else:
                        writer.add(record, film)
    except OSError as error:
        raise UserError(
            f'the cache {files.pixels_path} cannot be written ({error.strerror}). What was '
            'finished is kept: put it right and run the same command again.'
        ) from error
    if problems:
        lines = ''.join(f'\n  {problem}' for problem in problems[:5])
        raise UserError(
            f'{len(problems)} of {len(records)} images of {manifest_path} cannot be put into the '
            'cache; the others are kept. Prepare the set again, which leaves out what cannot be '
            f'read, then build the cache again. The first:{lines}'
        )
    return CacheSummary(files.pixels_path, size, len(records), len(missing))


def _kept(
    files: CacheFiles, records: Sequence[Record], progress: bool
) -> tuple[dict[str, CacheEntry], int]:
    """Find out which films of an earlier build are of use, and begin anew if few are.

    Returns:
        tuple[dict[str, CacheEntry], int]: The films, and where to go on behind all earlier ones: a
        training may be reading those that are of no more use here.
    """
    try:
        entries = files.read_index()
    except UserError:
        entries = {}
    kept = {}
    if entries:
        pixels = MappedPixels(files.pixels_path)
        for record in tqdm(
            records, desc='checking the cache', unit='image', disable=not progress, leave=False
        ):
            name = record['img_path']
            if is_current(entries, record) and pixels.find(files.film(entries[name])) is not None:
                kept[name] = entries[name]
    used = sum(entry.end - entry.offset for entry in kept.values())
    end = max((entry.end for entry in entries.values()), default=0)
    if end == 0 or end - used > _LARGEST_WASTE * end:
        kept, end = {}, 0
        # Other files, not emptied ones: a training that has mapped the old ones can go on.
        files.index_path.unlink(missing_ok=True)
        files.pixels_path.unlink(missing_ok=True)
    return kept, end


def _check_space(files: CacheFiles, missing: Sequence[Record]) -> None:
    """Refuse to begin what does not fit on the disk."""
    needed = sum(
        height * width
        for height, width in (
            shrunk_shape(record.get('height', 0), record.get('width', 0), files.size)
            for record in missing
        )
    )
    free = shutil.disk_usage(files.folder).free
    if needed > free:
        raise UserError(
            f'a cache of {files.size} pixels needs {needed / 1e6:,.0f} MB more for '
            f'{len(missing):,} images, but only {free / 1e6:,.0f} MB are free in {files.folder}. '
            'Free some, or choose a smaller size.'
        )


def _films(
    records: Sequence[Record], images: str, size: int, processes: int
) -> Iterator[np.ndarray | str]:
    """Decode and shrink films, in order."""
    work = partial(shrunk_film, images=images, size=size)
    return map_files(work, records, processes, lost_film)

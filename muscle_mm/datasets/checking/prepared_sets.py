# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Find the prepared sets below the folders that a user names, and read their films."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from muscle_mm.datasets.checking.film import Film
from muscle_mm.datasets.exclusions import EXCLUSIONS_NAME
from muscle_mm.datasets.manifest import MANIFEST_NAME, SPLITS, read_manifest, safe_join
from muscle_mm.utils.errors import UserError

#: What the preparation writes for every image, and the check compares.
_NEEDED = ('img_path', 'sha256', 'height', 'width')


@dataclass(frozen=True, eq=False)
class PreparedSet:
    """A prepared set.

    Attributes:
        manifest (Path): Its manifest, absolute.
        name (str): Name of the set.
        films (list[Film]): All its images, sorted.
    """

    manifest: Path
    name: str
    films: list[Film] = field(repr=False)

    @property
    def exclusions(self) -> Path:
        """Where the list of images to leave out belongs."""
        return self.manifest.with_name(EXCLUSIONS_NAME)


def find_prepared_sets(roots: Iterable[str | Path]) -> list[PreparedSet]:
    """Read the sets in folders that are prepared ones, that hold prepared ones, or both.

    Args:
        roots (Iterable[str | Path]): The folders. A set reached twice counts once.

    Returns:
        list[PreparedSet]: As of ``read_prepared_sets``.

    Raises:
        UserError: As of ``find_manifests`` and ``read_prepared_sets``.
    """
    return read_prepared_sets(find_manifests(roots))


def find_manifests(roots: Iterable[str | Path]) -> set[Path]:
    """Find the manifests of the sets in folders, without reading them.

    Args:
        roots (Iterable[str | Path]): As of ``find_prepared_sets``.

    Returns:
        set[Path]: The files, links resolved.

    Raises:
        UserError: If a folder is missing or holds no manifest.
    """
    manifests: set[Path] = set()
    for root in map(Path, roots):
        root = root.expanduser()
        if not root.is_dir():
            raise UserError(f'the data folder {root} does not exist or is not a folder.')
        # A set in the folder itself must not hide those in the folders in it.
        found = [*root.glob(MANIFEST_NAME), *root.glob(f'*/{MANIFEST_NAME}')]
        if not found:
            raise UserError(
                f'no {MANIFEST_NAME} in {root} nor in the folders in it. Write it: python '
                f'tools/prepare_dataset.py NAME --src DIR --out {root}'
            )
        manifests |= {path.resolve() for path in found}
    return manifests


def read_prepared_sets(manifests: Iterable[Path]) -> list[PreparedSet]:
    """Read prepared sets.

    Args:
        manifests (Iterable[Path]): Their manifests.

    Returns:
        list[PreparedSet]: In an order that does not depend on that of the manifests.

    Raises:
        UserError: If a manifest cannot be read, its images' folder is missing, or a record has no
            place in it.
    """
    sets = [_read(manifest) for manifest in manifests]
    return sorted(sets, key=lambda found: (found.name, str(found.manifest)))


def _read(manifest: Path) -> PreparedSet:
    """Read one set."""
    metainfo, records = read_manifest(manifest)
    name = str(metainfo.get('dataset', manifest.parent.name))
    images = Path(os.path.normpath(manifest.parent / metainfo.get('source_root', '.')))
    if not images.is_dir():
        raise UserError(
            f"{name}: the images' folder {images}, named in {manifest} (source_root), does not "
            'exist. Put it back, or prepare the set again.'
        )
    task = (metainfo.get('task'), *metainfo.get('classes', ()))
    films = [_film(manifest, name, task, images, record) for record in records]
    return PreparedSet(manifest, name, sorted(films, key=lambda film: film.order))


def _film(
    manifest: Path, name: str, task: tuple[Any, ...], images: Path, record: dict[str, Any]
) -> Film:
    """Place one record of a manifest."""
    where = f'{manifest}, image {record.get("img_path")!r}'
    if record.get('split', SPLITS[0]) not in SPLITS:
        raise UserError(f'{where}: split {record["split"]!r} is unknown, expected {list(SPLITS)}.')
    missing = [key for key in _NEEDED if key not in record]
    if missing:
        raise UserError(f'{where}: {missing[0]!r} is missing. Prepare the set again.')
    mask = None
    if 'seg_map_path' in record:
        mask = safe_join(manifest.parent, record['seg_map_path'], where)
    path = safe_join(images, record.get('img_path', ''), where)
    return Film(str(manifest), name, task, path, mask, record)

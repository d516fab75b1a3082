# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Scan a set, and sort out what cannot be used before a file is read."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from muscle_mm.datasets.manifest import safe_join
from muscle_mm.datasets.preparation.rejections import Rejections
from muscle_mm.datasets.scanning import nothing_found
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.utils.errors import UserError


def check_options(cls: type[XrayDataset], options: Mapping[str, Any]) -> None:
    """Refuse options that a set does not have.

    Args:
        cls (type[XrayDataset]): The set.
        options (Mapping[str, Any]): Arguments for its ``scan``.

    Raises:
        UserError: If ``scan`` does not take one of them.
    """
    known = inspect.signature(cls.scan).parameters
    for key in options:
        if key not in known:
            raise UserError(
                f'{cls.__name__} takes no option {key}: its layout is fixed. It is for the folder '
                'layouts, for example XrayFolder.'
            )


def raw_records(
    cls: type[XrayDataset],
    source: Path,
    options: Mapping[str, Any],
    rejections: Rejections,
    progress: bool,
) -> list[dict[str, Any]]:
    """List the images of a set that are worth reading.

    Args:
        cls (type[XrayDataset]): The set.
        source (Path): Its folder.
        options (Mapping[str, Any]): Arguments for its ``scan``.
        rejections (Rejections): Takes the others.
        progress (bool): Show a progress bar where the listing takes seconds.

    Returns:
        list[dict]: Raw records; each image once, none outside of the source.

    Raises:
        UserError: If the folder does not hold the set.
    """
    bar = tqdm(
        cls.scan(source, **options),
        desc=f'{cls.__name__}: listing',
        unit='file',
        delay=2,
        disable=not progress,
    )
    scanned = list(bar)
    if not any(os.path.exists(source / record['img_path']) for record in scanned):
        raise nothing_found(cls.__name__, source, *cls.EXPECTED_PATHS)

    usable: dict[str, dict[str, Any]] = {}
    described_twice = set()
    for record in scanned:
        name = record['img_path']
        problem = _leaves(source, record) or record.get('problem')
        if problem is not None:
            rejections.add(name, problem)
        elif usable.setdefault(name, record) != record:
            described_twice.add(name)
            rejections.add(name, 'described twice in the source, in different ways')
    return [record for name, record in usable.items() if name not in described_twice]


def _leaves(source: Path, record: Mapping[str, Any]) -> str | None:
    """Give the reason against paths that lead out of the source, as a table can name them."""
    for name in (record['img_path'], *record.get('masks', ())):
        try:
            safe_join(source, name or '.', '')
        except UserError:
            return f'the path {name!r} leaves the source folder'
    return None

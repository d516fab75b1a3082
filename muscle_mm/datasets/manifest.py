# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The manifest: what ``tools/prepare_dataset.py`` writes and the data sets read.

A manifest is an annotation file of mmengine's ``BaseDataset`` with one record a line::

    {
    "metainfo": {"classes": ["normal", "pneumonia"], "dataset": "PneumoniaCXR", ...},
    "data_list": [
    {"gt_label": 0, "height": 224, "img_path": "chest_xray/train/NORMAL/IM-0115-0001.jpeg", ...},
    ...
    ]
    }

Paths are relative and written with ``/``: ``metainfo.source_root`` and ``seg_map_path`` to the
folder of the manifest, ``img_path`` to ``source_root``. Keys and records are sorted, so that equal
data give equal bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from muscle_mm.utils.errors import UserError
from muscle_mm.utils.whole_file import whole_file

MANIFEST_NAME = 'manifest.json'
#: Raised when a reader of the old form would misread the new one.
MANIFEST_VERSION = 1
SPLITS = ('train', 'val', 'test')


def write_manifest(
    path: str | Path, metainfo: Mapping[str, Any], records: Iterable[Mapping[str, Any]]
) -> None:
    """Write a manifest, byte for byte the same for the same content.

    Args:
        path (str | Path): The file to write. An interruption leaves the old file in place.
        metainfo (Mapping[str, Any]): What holds for the whole set.
        records (Iterable[Mapping[str, Any]]): One mapping an image, with ``img_path``.
    """
    path = Path(path)
    lines = [
        json.dumps(record, sort_keys=True, allow_nan=False)
        for record in sorted(records, key=lambda record: record['img_path'])
    ]
    text = '{\n"metainfo": ' + json.dumps(dict(metainfo), sort_keys=True, allow_nan=False)
    text += ',\n"data_list": [\n' + ',\n'.join(lines) + '\n]\n}\n'
    with whole_file(path) as unfinished:
        unfinished.write_bytes(text.encode('ascii'))


def read_manifest(path: str | Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Read a manifest and check its form.

    Args:
        path (str | Path): The file.

    Returns:
        tuple[dict, list[dict]]: Its ``metainfo`` and its records.

    Raises:
        UserError: If the file is missing, is no manifest, or is of a newer form.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise UserError(
            f'manifest {path} does not exist. Write it: python tools/prepare_dataset.py NAME '
            f'--src DIR --out {path.parent}'
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(
            f'manifest {path} cannot be read ({error}). Write it again with '
            'tools/prepare_dataset.py.'
        ) from error
    if (
        not isinstance(content, dict)
        or not isinstance(content.get('metainfo'), dict)
        or not isinstance(content.get('data_list'), list)
    ):
        raise UserError(
            f'{path} is not a manifest: it needs the keys "metainfo" and "data_list". '
            'Write it with tools/prepare_dataset.py.'
        )
    version = content['metainfo'].get('manifest_version', MANIFEST_VERSION)
    if version != MANIFEST_VERSION:
        raise UserError(
            f'manifest {path} has manifest_version {version}, this muscle_mm reads '
            f'{MANIFEST_VERSION}. Write it again with tools/prepare_dataset.py.'
        )
    return content['metainfo'], content['data_list']


def safe_join(root: str | Path, relative: str, where: str) -> str:
    """Join a relative path of a manifest to its root, never leaving the root.

    Args:
        root (str | Path): The folder.
        relative (str): A path below it, written with ``/``.
        where (str): Where the path was found, for the message.

    Returns:
        str: The joined path.

    Raises:
        UserError: If the path is empty, absolute, or climbs out of the root.
    """
    if not isinstance(relative, str) or not relative:
        raise UserError(f'{where}: expected a relative path, got {relative!r}.')
    pure, on_windows = PurePosixPath(relative), PureWindowsPath(relative)
    # With a drive, or with a root that is no drive; and '..' between either kind of slash.
    if pure.is_absolute() or on_windows.anchor or '..' in on_windows.parts:
        raise UserError(f'{where}: the path {relative!r} leaves the folder {root}.')
    return os.path.join(root, *pure.parts)

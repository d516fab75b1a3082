# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What the scans of the data sets share: find images and read tables, with clear errors."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.utils.errors import UserError

IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg', '.tif', '.tiff', '.dcm', '.dicom', '.dic')


def image_files(folder: Path, suffixes: tuple[str, ...] = IMAGE_SUFFIXES) -> Iterator[Path]:
    """Yield the image files below a folder in sorted order.

    Hidden files are passed over: archives packed on a Mac hold a ``._name.png`` beside each image.

    Args:
        folder (Path): Where to start; links to folders are followed. A missing folder is empty.
        suffixes (tuple[str, ...]): Endings in lower case. Defaults to those of ``read_xray``.

    Yields:
        Path: The next file.
    """
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith('.'))
        for name in sorted(names):
            if not name.startswith('.') and name.lower().endswith(suffixes):
                yield Path(parent, name)


def relative(path: Path, source: Path) -> str:
    """Write a path below the source as a manifest does: relative, with ``/``."""
    return path.relative_to(source).as_posix()


def nothing_found(set_name: str, source: Path, *looked_for: str) -> UserError:
    """Build the error for a folder that does not hold the set.

    Args:
        set_name (str): The data set.
        source (Path): The folder given by the user.
        *looked_for (str): The published paths below it.

    Returns:
        UserError: To be raised.
    """
    places = ' or '.join(str(source / place) for place in looked_for)
    return UserError(
        f'{set_name}: no image found. Looked for {places}. --src must be the folder that holds the '
        'published folders, unpacked and not renamed.'
    )


def scan_one_folder(
    set_name: str, source: Path, folder: str, name_parts: int
) -> Iterator[dict[str, Any]]:
    """Yield the PNG images of a set without labels that lies in one folder.

    Args:
        set_name (str): The data set.
        source (Path): The folder given by the user.
        folder (str): Published folder below it.
        name_parts (int): How many parts of a file's name, between underscores, name the patient.

    Yields:
        dict: A raw record: ``img_path`` and ``patient_id``.

    Raises:
        UserError: If there is no image.
    """
    found = False
    for path in image_files(source / folder, ('.png',)):
        found = True
        patient = '_'.join(path.stem.split('_')[:name_parts])
        yield {'img_path': relative(path, source), 'patient_id': patient}
    if not found:
        raise nothing_found(set_name, source, f'{folder}/*.png')


def read_table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Read a CSV file with a heading.

    Args:
        path (Path): The file, UTF-8.
        columns (tuple[str, ...]): Columns that must be there.

    Returns:
        list[dict[str, str]]: One mapping a row.

    Raises:
        UserError: If the file cannot be read or lacks a column.
    """
    try:
        with open(path, newline='', encoding='utf-8-sig') as file:
            reader = csv.DictReader(file)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise UserError(f'{path}: the column {missing[0]!r} is missing.')
            return list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f'{path} cannot be read as a table ({error}).') from error

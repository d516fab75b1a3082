# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What the scans of the data sets share: find images and read tables, with clear errors."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

from muscle_mm.utils.errors import UserError

IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg', '.tif', '.tiff', '.dcm', '.dicom', '.dic')


def image_files(folder: Path, suffixes: tuple[str, ...] = IMAGE_SUFFIXES) -> Iterator[Path]:
    """Yield the image files below a folder in sorted order.

    Hidden files are passed over: archives packed on a Mac hold a ``._name.png`` beside each image.
    A folder that cannot be listed is yielded itself, so that it is reported like a bad file.

    Args:
        folder (Path): Where to start; a missing folder is empty.
        suffixes (tuple[str, ...]): Endings in lower case. Defaults to those of ``read_xray``.

    Yields:
        Path: The next file.
    """
    for path in all_files(folder):
        if path.name.lower().endswith(suffixes) or path.is_dir():
            yield path


def all_files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder in sorted order, and folders that cannot be listed.

    Links to folders are followed, but not back into a folder that holds them.

    Args:
        folder (Path): Where to start; a missing folder is empty.

    Yields:
        Path: The next file whose name does not begin with a dot.
    """
    if folder.is_dir():
        yield from _walk(folder, ())


def _walk(folder: Path, above: tuple[tuple[int, int], ...]) -> Iterator[Path]:
    """Walk down; ``above`` names the folders on the way by device and number."""
    try:
        status = folder.stat()
        here = (status.st_dev, status.st_ino)
        with os.scandir(folder) as entries:
            found = sorted(
                (_is_folder(entry), entry.name)
                for entry in entries
                if not entry.name.startswith('.')
            )
    except OSError:
        yield folder
        return
    if here in above:
        return
    for is_folder, name in found:
        if is_folder:
            yield from _walk(folder / name, (*above, here))
        else:
            yield folder / name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder, or a link to one; a link that leads nowhere is not."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def relative(path: Path, source: Path) -> str:
    """Write a path as a manifest does: relative to the source, with ``/``.

    A path elsewhere, as a damaged table can name it, stays whole; the preparation refuses it.
    """
    return (path.relative_to(source) if path.is_relative_to(source) else path).as_posix()


def nothing_found(set_name: str, source: Path, *looked_for: str) -> UserError:
    """Build the error for a folder that does not hold the set.

    Args:
        set_name (str): The data set.
        source (Path): The folder given by the user.
        *looked_for (str): The published paths below it.

    Returns:
        UserError: To be raised.
    """
    places = ' or '.join(str(source / place) for place in looked_for or ('**',))
    return UserError(
        f'{set_name}: no image found. Looked for {places}. --src must be the folder that holds the '
        'published folders, unpacked and not renamed.'
    )


def read_table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Read a CSV file with a heading.

    Args:
        path (Path): The file; see ``read_table_lines``.
        columns (tuple[str, ...]): Columns that must be there.

    Returns:
        list[dict[str, str]]: One mapping a row.

    Raises:
        UserError: If the file cannot be read or lacks a column.
    """
    return [row for _, row in read_table_lines(path, columns)]


def read_table_lines(path: Path, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """Read a CSV file with a heading, and where each row stands.

    Args:
        path (Path): The file: UTF-8, with or without a byte-order mark; the columns are separated
            by commas or, as some spreadsheets write it, by semicolons or tabs.
        columns (tuple[str, ...]): Columns that must be there.

    Returns:
        list[tuple[int, dict[str, str]]]: Number of the line, from 1, and the row: column to value,
        '' where the row is too short.

    Raises:
        UserError: If the file cannot be read or lacks a column.
    """
    try:
        with open(path, newline='', encoding='utf-8-sig') as file:
            heading = file.readline()
            file.seek(0)
            separator = max(',;\t', key=heading.count)
            reader = csv.DictReader(file, delimiter=separator, restval='', restkey='')
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise UserError(
                    f'{path}: the column {missing[0]!r} is missing. Found: '
                    f'{", ".join(reader.fieldnames or ()) or "nothing"}.'
                )
            return [(reader.line_num, row) for row in reader]
    except UnicodeDecodeError as error:
        raise UserError(
            f'{path} cannot be read as a table: it is not UTF-8 ({error}). Save it as "CSV UTF-8".'
        ) from error
    except (OSError, csv.Error) as error:
        raise UserError(f'{path} cannot be read as a table ({error}).') from error


def read_names(path: Path) -> list[str]:
    """Read a list of names, as some sets name the images of a split.

    Args:
        path (Path): The file: UTF-8, with or without a byte-order mark; names without blanks.

    Returns:
        list[str]: The names.

    Raises:
        UserError: If the file cannot be read.
    """
    try:
        return path.read_text(encoding='utf-8-sig').split()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'{path} cannot be read as a list of names ({error}).') from error

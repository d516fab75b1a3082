# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What the scans of the nine public sets share: places, names, and tables that may disagree."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from muscle_mm.datasets.scanning import image_files, relative


def find_root(source: Path, roots: Sequence[str], holds: Sequence[str]) -> Path | None:
    """Find a set below the source, in its own archive's folders or in those of a known copy.

    Only the first place is used: some archives hold the same images twice.

    Args:
        source (Path): The folder given by the user.
        roots (Sequence[str]): Places below it, the publisher's own first; '' is the source itself.
        holds (Sequence[str]): Folders of which the place must hold at least one.

    Returns:
        Path | None: The place, or None.
    """
    for root in roots:
        if any((source / root / name).is_dir() for name in holds):
            return source / root
    return None


def named_films(
    folder: Path, source: Path, pattern: re.Pattern[str], example: str
) -> Iterator[dict[str, Any]]:
    """Yield the images of a folder whose names say whose they are.

    Args:
        folder (Path): Where they lie.
        source (Path): The folder given by the user.
        pattern (re.Pattern): Matches the whole name; the first group is the patient.
        example (str): A published name, for the message about others.

    Yields:
        dict: A raw record: ``img_path``, and ``patient_id`` or ``problem``.
    """
    for path in image_files(folder):
        record = {'img_path': relative(path, source)}
        match = pattern.fullmatch(path.name)
        if match:
            record['patient_id'] = match.group(1)
        else:
            record['problem'] = f'the file name is not of the published form, such as {example}'
        yield record


class TableValues:
    """What a table says of each image or study, with rows that contradict each other.

    Args:
        table (str): Name of the table, for messages.
        rows (Iterable[tuple[str, str]]): Name and value of each row. Equal rows count once.
    """

    def __init__(self, table: str, rows: Iterable[tuple[str, str]]) -> None:
        self.table = table
        self._values: dict[str, set[str]] = defaultdict(set)
        for name, value in rows:
            self._values[name.strip()].add((value or '').strip())

    def find(self, name: str, what: str) -> tuple[str | None, str | None]:
        """Look a name up.

        Args:
            name (str): The image or study.
            what (str): What the value is, for the message.

        Returns:
            tuple[str | None, str | None]: The value and None, or None and the reason against it.
        """
        values = self._values.get(name)
        if values is None:
            return None, f'not listed in {self.table}'
        if len(values) > 1:
            both = ' and '.join(repr(value) for value in sorted(values))
            return None, f'listed twice in {self.table}, with the {what} {both}'
        (value,) = values
        if value.lower() in ('', 'nan'):
            return None, f'{self.table} gives no {what}'
        return value, None

    def missing(self, found: Iterable[str]) -> list[str]:
        """Name what is listed, but was not found.

        Args:
            found (Iterable[str]): Names of what is there.

        Returns:
            list[str]: The other names, sorted.
        """
        return sorted(set(self._values) - set(found))


def listed_path(folder: Path, source: Path, name: str) -> str:
    """Write the path of something that a table names, whatever the name.

    Args:
        folder (Path): Where the table's names count from.
        source (Path): The folder given by the user.
        name (str): As in the table. A name that leads out of the source is written as it is, and
            refused by the preparation.

    Returns:
        str: The path relative to the source, with ``/``.
    """
    return f'{relative(folder, source)}/{name}'.removeprefix('./')


def missing_record(path: str, table: str) -> dict[str, Any]:
    """Build the record of an image that a table lists, but that is not there.

    Args:
        path (str): The path relative to the source, or as much as the table says of it.
        table (str): Name of the table.

    Returns:
        dict: A raw record with a problem.
    """
    return {'img_path': path, 'problem': f'listed in {table}, but it is missing'}

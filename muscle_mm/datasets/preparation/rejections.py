# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The files that a preparation does not use, each with the reason."""

from __future__ import annotations

import csv
import unicodedata
from pathlib import Path

from muscle_mm.utils.whole_file import whole_file

REJECTED_NAME = 'rejected.csv'


class Rejections:
    """Collect what is not used and why, and write it as ``rejected.csv``."""

    def __init__(self) -> None:
        self._found: set[tuple[str, str]] = set()
        # Accents in one way: a table may write a name in another way than the disk.
        self._paths: set[str] = set()

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, path: str) -> bool:
        return unicodedata.normalize('NFC', path) in self._paths

    @property
    def paths(self) -> set[str]:
        """The files, relative to the source."""
        return set(self._paths)

    def add(self, path: str, reason: str) -> None:
        """Note a file.

        Args:
            path (str): Relative to the source, with ``/``.
            reason (str): Why it is not used, in words for the user.
        """
        self._found.add((path, reason))
        self._paths.add(unicodedata.normalize('NFC', path))

    def first(self, count: int = 1) -> list[str]:
        """Describe the first ones, for a message.

        Args:
            count (int): How many at most. Defaults to 1.

        Returns:
            list[str]: Path and reason, printable wherever the file's name comes from.
        """
        return [
            f'{path}: {reason}'.encode('utf-8', 'backslashreplace').decode()
            for path, reason in sorted(self._found)[:count]
        ]

    def write(self, path: Path) -> None:
        """Write the list, empty below its heading where everything is used.

        Args:
            path (Path): The CSV file, with the columns path and reason.
        """
        with (
            whole_file(path) as unfinished,
            # Names of files that are no UTF-8 are written with the bytes that they have on disk.
            open(unfinished, 'w', newline='', encoding='utf-8', errors='surrogateescape') as file,
        ):
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(('path', 'reason'))
            writer.writerows(sorted(self._found))

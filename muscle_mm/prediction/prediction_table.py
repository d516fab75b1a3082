# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The table of a run, as CSV and JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from muscle_mm.utils.whole_file import whole_file

CSV_NAME = 'predictions.csv'
JSON_NAME = 'predictions.json'


class PredictionTable:
    """Writes ``predictions.csv`` film by film, and ``predictions.json`` when all are done.

    An interrupted run leaves the rows of the films that were done, and no JSON file.

    Args:
        folder (Path): Where the files go.
        columns (Sequence[str]): Columns between ``file`` and ``picture``, ``problem``.
        about (Mapping[str, Any]): What holds for all films, for the JSON file.
    """

    def __init__(self, folder: Path, columns: Sequence[str], about: Mapping[str, Any]) -> None:
        self.folder = folder
        self.about = dict(about)
        self.films: list[dict[str, Any]] = []
        (folder / JSON_NAME).unlink(missing_ok=True)
        # Names of files that are no UTF-8 are written with the bytes that they have on disk.
        self._file = open(  # noqa: SIM115
            folder / CSV_NAME, 'w', newline='', encoding='utf-8', errors='surrogateescape'
        )
        self._writer = csv.DictWriter(
            self._file, ['file', *columns, 'picture', 'problem'], lineterminator='\n'
        )
        self._writer.writeheader()

    def __enter__(self) -> PredictionTable:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        if kind is None:
            content = {**self.about, 'films': self.films}
            with whole_file(self.folder / JSON_NAME) as unfinished:
                unfinished.write_text(json.dumps(content, indent=1) + '\n', encoding='ascii')

    def add(self, file: str, record: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
        """Add a film.

        Args:
            file (str): Its path.
            record (Mapping[str, Any]): What JSON gets.
            rows (Sequence[Mapping[str, Any]]): What CSV gets.
        """
        self.films.append({'file': file, **record})
        for row in rows:
            self._writer.writerow({'file': file, **row})
        self._file.flush()

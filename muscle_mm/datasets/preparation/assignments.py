# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A user's own table that gives every patient, or every image, a split or a label."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from muscle_mm.datasets.dicom_patient import hashed_patient, is_hashed
from muscle_mm.datasets.preparation.rejections import Rejections
from muscle_mm.datasets.scanning import read_table_lines
from muscle_mm.utils.errors import UserError

_KEYS = ('img_path', 'patient_id')


class Assigned(NamedTuple):
    """What a table says about an image.

    Attributes:
        value (str): The split or label; '' where there is a problem.
        line (int): Where it stands, from 1.
        problem (str, optional): Why there is no value.
    """

    value: str = ''
    line: int = 0
    problem: str | None = None


class Assignments:
    """Read a CSV file with the columns ``patient_id`` or ``img_path``, and one more.

    A ``patient_id`` is written as in the manifest; for DICOM, also as in the header. An
    ``img_path`` is relative to the source.

    Args:
        path (str | Path): The file.
        column (str): The other column.

    Raises:
        UserError: If the file cannot be read or lacks a column.
    """

    def __init__(self, path: str | Path, column: str) -> None:
        self.path = Path(path).expanduser()
        self.column = column
        rows = read_table_lines(self.path, (column,))
        keys = [key for key in _KEYS if rows and key in rows[0][1]]
        if not keys:
            raise UserError(
                f'{self.path}: expected the columns patient_id,{column} or img_path,{column}, and '
                'at least one row.'
            )
        self.key = keys[0]
        self._lines: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for line, row in rows:
            name = self._written(row[self.key] or '')
            self._lines[name].append((line, (row[column] or '').strip()))
        self._hashed = {hashed_patient(name): name for name in self._lines}
        self._asked: set[str] = set()

    def assign(
        self,
        records: Sequence[dict[str, Any]],
        rejections: Rejections,
        key: str,
        meaning: Callable[[Assigned], tuple[Any, str | None]],
    ) -> list[dict[str, Any]]:
        """Give every image what the table says of it.

        Args:
            records (Sequence[dict]): The images.
            rejections (Rejections): Takes images that the table does not name or whose value is
                unusable, and rows without an image.
            key (str): Of the records, for the values.
            meaning (Callable): From an ``Assigned`` without a problem to the value of the key and
                None, or to anything and the reason against it.

        Returns:
            list[dict]: The images with a value.

        Raises:
            UserError: If the table names none of the images.
        """
        given = []
        for record in records:
            assigned = self.find(record)
            value, problem = (None, assigned.problem) if assigned.problem else meaning(assigned)
            if problem is None:
                given.append(record | {key: value})
            else:
                rejections.add(record['img_path'], problem)
        self._check_used(records)
        self._report_unused(records, rejections)
        return given

    def find(self, record: Mapping[str, Any]) -> Assigned:
        """Find the value for an image.

        Args:
            record (Mapping): With ``img_path`` and ``patient_id``.

        Returns:
            Assigned: The value, or the reason why there is none.
        """
        written = self._written(str(record[self.key]))
        name = written if written in self._lines else self._hashed.get(written, written)
        if name not in self._lines:
            return Assigned(problem=f'not named in {self.path.name}')
        self._asked.add(name)
        (line, value), *others = self._lines[name]
        for other_line, other in others:
            if other != value:
                problem = (
                    f'{self.path.name} gives it the {self.column} {value!r} in line {line} and '
                    f'{other!r} in line {other_line}'
                )
                return Assigned(line=line, problem=problem)
        return Assigned(value, line)

    def line_of(self, value: str) -> int:
        """Find the first line with a value, for a message.

        Args:
            value (str): In the table.

        Returns:
            int: The number of the line in the file, from 1.
        """
        return min(line for rows in self._lines.values() for line, found in rows if found == value)

    @property
    def values(self) -> set[str]:
        """All values in the table."""
        return {value for rows in self._lines.values() for _, value in rows}

    def _check_used(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Refuse a table that names none of the images: it is written in another way.

        Args:
            records (Sequence[Mapping]): The images that were looked up.

        Raises:
            UserError: If none was found.
        """
        if records and not self._asked:
            raise UserError(
                f'{self.path} names none of the {len(records)} images. Its {self.key} is '
                f'{next(iter(self._lines))!r} in the first row; the data have, for example, '
                f'{records[0][self.key]!r}.'
            )

    def _report_unused(self, records: Sequence[Mapping[str, Any]], rejections: Rejections) -> None:
        """Report the rows that no image has asked for.

        Args:
            records (Sequence[Mapping]): The images that were looked up.
            rejections (Rejections): Takes them; images that it already has are passed over.
        """
        what = (
            'the file is missing'
            if self.key == 'img_path'
            else 'no usable image is of this patient'
        )
        patients = [str(record['patient_id']) for record in records]
        # What the manifest keeps as a hash is not named here either; the line is enough to find it.
        hide = self.key == 'patient_id' and (not patients or any(map(is_hashed, patients)))
        for name, rows in self._lines.items():
            if name not in self._asked and name not in rejections:
                shown = hashed_patient(name) if hide and not is_hashed(name) else name
                rejections.add(shown, f'named in {self.path.name}, line {rows[0][0]}, but {what}')

    def _written(self, name: str) -> str:
        """Write a key in one way, also where the table comes from Windows or the files from a Mac.

        A Mac writes an accent as a letter of its own, most tables have it in one with its letter.
        """
        name = unicodedata.normalize('NFC', name.strip())
        if self.key == 'patient_id' or not name:
            return name
        return PurePosixPath(name if '/' in name else name.replace('\\', '/')).as_posix()

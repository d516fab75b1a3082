# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Labels from a user's own table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from muscle_mm.datasets.preparation.assignments import Assigned, Assignments
from muscle_mm.datasets.preparation.rejections import Rejections
from muscle_mm.utils.errors import UserError

#: Written where nobody knows the label.
_NO_LABEL = ('', 'nan', 'na', 'n/a', 'null')


class LabelFile:
    """Read a CSV file with the columns ``patient_id,label`` or ``img_path,label``.

    Args:
        path (str | Path): The file.
        classes (Sequence[str], optional): The labels, in order. Defaults to None: those in the
            file, in alphabetical order.

    Raises:
        UserError: If the file cannot be read, or names fewer than two classes.
    """

    def __init__(self, path: str | Path, classes: Sequence[str] | None = None) -> None:
        self._table = Assignments(path, 'label')
        found = {value for value in self._table.values if value.lower() not in _NO_LABEL}
        self.classes = tuple(classes or sorted(found))
        if len(self.classes) < 2:
            raise UserError(
                f'{self._table.path}: expected at least two different labels, found '
                f'{list(self.classes)}.'
            )

    def assign(
        self, records: Sequence[dict[str, Any]], rejections: Rejections
    ) -> list[dict[str, Any]]:
        """Give every image its label.

        Args:
            records (Sequence[dict]): The images; ``gt_label`` is added.
            rejections (Rejections): Takes the images without a label, and the rows without an
                image.

        Returns:
            list[dict]: The images with a label.

        Raises:
            UserError: If the file names none of the images.
        """
        return self._table.assign(records, rejections, 'gt_label', self._number)

    def _number(self, assigned: Assigned) -> tuple[int, str | None]:
        """Give the number of a label, or the reason against it."""
        label, where = assigned.value, f'in {self._table.path.name}, line {assigned.line}'
        if label.lower() in _NO_LABEL:
            return -1, f'no label ({label!r} {where})'
        if label not in self.classes:
            return -1, f'the class {label!r} {where} is unknown; known: {", ".join(self.classes)}'
        return self.classes.index(label), None

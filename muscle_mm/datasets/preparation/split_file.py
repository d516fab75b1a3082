# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The split from a user's own list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from muscle_mm.datasets.manifest import SPLITS
from muscle_mm.datasets.preparation.assignments import Assignments
from muscle_mm.datasets.preparation.rejections import Rejections
from muscle_mm.utils.errors import UserError


class SplitFile:
    """Read a CSV file with the columns ``patient_id,split`` or ``img_path,split``.

    Args:
        path (str | Path): The file.

    Raises:
        UserError: If the file cannot be read, or a split is unknown.
    """

    def __init__(self, path: str | Path) -> None:
        self._table = Assignments(path, 'split')
        for value in sorted(self._table.values - set(SPLITS)):
            raise UserError(
                f'{self._table.path}, line {self._table.line_of(value)}: the split {value!r} is '
                f'unknown. Choose from {", ".join(SPLITS)}.'
            )

    def assign(
        self, records: Sequence[dict[str, Any]], rejections: Rejections
    ) -> list[dict[str, Any]]:
        """Give every image its split.

        Args:
            records (Sequence[dict]): The images.
            rejections (Rejections): Takes images that the list does not name, and rows without an
                image.

        Returns:
            list[dict]: The images with a split.

        Raises:
            UserError: If the file names none of the images.
        """
        return self._table.assign(
            records, rejections, 'split', lambda assigned: (assigned.value, None)
        )

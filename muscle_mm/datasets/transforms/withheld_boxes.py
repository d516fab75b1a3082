# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Boxes that do not fit the image which was loaded."""

from __future__ import annotations

from typing import NoReturn

from muscle_mm.utils.errors import UserError


class WithheldBoxes:
    """Stands in a sample for boxes that belong to the film's full size.

    A detector's loading of annotations takes a sample without boxes for a film without findings.
    This raises instead.

    Args:
        img_path (str): The film.
        reason (str): Why the boxes do not fit, and what to do.
    """

    def __init__(self, img_path: str, reason: str) -> None:
        self.img_path = img_path
        self.reason = reason

    def _refuse(self, *args: object) -> NoReturn:
        raise UserError(f'the boxes of {self.img_path} do not fit the image: {self.reason}')

    __iter__ = __len__ = __getitem__ = _refuse

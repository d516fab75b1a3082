# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The error for one file that cannot be read."""

from __future__ import annotations

from pathlib import Path

from muscle_mm.utils.errors import UserError


class XrayReadError(UserError):
    """A file that cannot be read as one radiograph.

    Args:
        path (str | Path): The file.
        reason (str, optional): Why it cannot be read, in words for the user. None stands for an
            error that torch passes on from a data loader's worker: it knows nothing but the whole
            message, which is then given in place of the file. Defaults to None.
    """

    def __init__(self, path: str | Path, reason: str | None = None) -> None:
        super().__init__(
            str(path) if reason is None else f'cannot read the radiograph {path}: {reason}'
        )
        self.path = str(path)
        self.reason = reason or ''

    def __reduce__(self) -> tuple[type[XrayReadError], tuple[str, str | None]]:
        """Rebuild from both arguments: the error must survive the way out of a worker."""
        return type(self), (self.path, self.reason or None)

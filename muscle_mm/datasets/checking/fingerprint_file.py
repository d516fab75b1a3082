# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Fingerprints kept beside a manifest, so that a second check is quick."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from muscle_mm.datasets.checking.fingerprint import FINGERPRINT
from muscle_mm.utils.errors import UserError

FINGERPRINTS_NAME = 'fingerprints.bin'
#: Changed with every change of what a fingerprint is; older files are then made anew.
_HEAD = b'muscle_mm print1'

#: SHA-256 of the file, whether the film is inverted, and the frame if the file holds several.
Key = tuple[str, bool, int | None]


class FingerprintFile:
    """A file to which fingerprints are added as they are computed.

    What was written before an interruption is kept; half a fingerprint at the end is cut off.

    Args:
        path (Path): The file; made if missing.

    Raises:
        UserError: If it can be neither read nor written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._repair()
        except OSError as error:
            raise UserError(
                f'the fingerprints of the films, {path}, cannot be written ({error.strerror}). '
                'Make the folder writable, or check a copy of the prepared folder.'
            ) from error

    def _repair(self) -> None:
        """Begin the file, or cut off what an interruption left incomplete."""
        with open(self.path, 'ab+') as file:
            size = file.tell()
            file.seek(0)
            if file.read(len(_HEAD)) != _HEAD:
                file.truncate(0)
                file.write(_HEAD)
            else:
                file.truncate(size - (size - len(_HEAD)) % FINGERPRINT.itemsize)

    def add(self, rows: Sequence[np.ndarray]) -> None:
        """Add fingerprints.

        Args:
            rows (Sequence[np.ndarray]): Dtype ``FINGERPRINT``.

        Raises:
            UserError: If the disk is full.
        """
        try:
            with open(self.path, 'ab') as file:
                file.write(b''.join(row.tobytes() for row in rows))
        except OSError as error:
            raise UserError(f'{self.path} cannot be written ({error.strerror}).') from error

    def read(self) -> dict[Key, np.ndarray]:
        """Give all fingerprints, from the disk as they are needed.

        Where one lies follows from the file alone, never from what this process has added: where a
        folder cannot be locked, another one may have added to it, too.

        Returns:
            dict[Key, np.ndarray]: Each without dimensions, dtype ``FINGERPRINT``.
        """
        count = (self.path.stat().st_size - len(_HEAD)) // FINGERPRINT.itemsize
        if count < 1:
            return {}
        rows = np.memmap(self.path, dtype=FINGERPRINT, mode='r', offset=len(_HEAD), shape=(count,))
        return {key_of(rows[i]): rows[i] for i in range(count)}


def key_of(row: np.ndarray) -> Key:
    """Give the key of a fingerprint."""
    frame = None if row['frame'] < 0 else int(row['frame'])
    return row['sha256'].tobytes().hex(), bool(row['inverted']), frame

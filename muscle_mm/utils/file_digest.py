# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The SHA-256 of a file of any size."""

from __future__ import annotations

import hashlib
from pathlib import Path

#: Bytes in memory at a time: a file of a moving film can be larger than the memory of a worker.
_BLOCK = 1 << 20


def file_sha256(path: str | Path) -> str:
    """Hash the content of a file block by block.

    ``hashlib.file_digest`` does the same from Python 3.11 on.

    Args:
        path (str | Path): The file.

    Returns:
        str: 64 hexadecimal digits.

    Raises:
        OSError: If it cannot be read.
    """
    digest = hashlib.sha256()
    # Without a buffer, which would copy every block once more.
    with open(path, 'rb', buffering=0) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""One writer in a folder at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from muscle_mm.utils.errors import UserError


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Keep other processes from writing to a folder, where the system can (Linux, macOS).

    The lock ends with the process, however that ends, and leaves nothing behind.

    Args:
        folder (Path): The folder.

    Raises:
        UserError: If another process has it locked.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f'another process is writing to {folder}. Wait until it is done.'
            ) from None
        except OSError:
            pass  # Some network file systems cannot lock a folder.
        yield
    finally:
        os.close(handle)

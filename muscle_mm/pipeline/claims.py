# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""One stage is run by one launch, however many share its folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from muscle_mm.pipeline.stage import Stage


class Claims:
    """Locks on stages, one small file each, that end with the processes that hold them.

    A command inherits the lock of its stage: were it to outlive its launch, the stage would stay
    claimed until it ends. Where the system or its file system cannot lock, every claim succeeds.

    Args:
        folder (Path): Where the files are; made when the first stage is claimed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def claim(self, stage: Stage) -> int | None:
        """Claim a stage, without waiting.

        Args:
            stage (Stage): The stage.

        Returns:
            int | None: A file descriptor, which holds the claim until it is closed by this process
            and by all that have inherited it; None if the stage is claimed elsewhere.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f'{stage.name.replace("/", "-")}.lock'
        # For writing: on NFS an exclusive lock needs that.
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        except (ImportError, OSError):
            pass
        return handle

    @contextmanager
    def held(self, stage: Stage) -> Iterator[bool]:
        """Hold a stage for a moment.

        Args:
            stage (Stage): The stage.

        Yields:
            bool: Whether the stage is held; False if it is claimed elsewhere.
        """
        handle = self.claim(stage)
        try:
            yield handle is not None
        finally:
            if handle is not None:
                os.close(handle)

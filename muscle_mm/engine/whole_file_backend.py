# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""mmengine's local files, each either the old one or the new one."""

import os
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from muscle_mm.utils.whole_file import whole_file

#: Name under which mmengine knows the backend.
WHOLE_FILES = 'muscle_mm.WholeFileBackend'


@register_backend(WHOLE_FILES)
class WholeFileBackend(LocalBackend):
    """Writes a file under another name, and puts it in its place once it is on the disk.

    For mmengine's ``backend_args=dict(backend='muscle_mm.WholeFileBackend')``. In other respects
    mmengine's ``LocalBackend``, which a kill or a full disk leaves with half a file.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file.

        Args:
            obj (bytes): What the file will hold.
            filepath (str | Path): The file; its folder is made where it is missing. Until the file
                is complete it is called ``<filepath>.part``.
        """
        path = Path(filepath)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as unfinished, open(unfinished, 'wb') as file:
            file.write(obj)
            file.flush()
            os.fsync(file.fileno())

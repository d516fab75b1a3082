# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Files that are either the old one or the new one, never half of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Write a file under another name, and put it in its place once it is complete.

    Args:
        path (Path): The file to write; its folder exists.

    Yields:
        Path: Where to write. After an error the old file is still there.
    """
    unfinished = path.with_name(path.name + '.part')
    yield unfinished
    os.replace(unfinished, path)

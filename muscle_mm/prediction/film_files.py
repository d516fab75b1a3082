# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Find the films that a user names by files and folders."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from muscle_mm.datasets.dicom_folder import DicomFolder
from muscle_mm.datasets.scanning import image_files
from muscle_mm.utils.errors import UserError

#: Longest name of a file that common file systems take, in bytes, less what is added to it.
_LONGEST_NAME = 255 - len('.png.part')


@dataclass(frozen=True)
class FilmFile:
    """A file that may hold a film.

    Attributes:
        path (Path): The file, as the user has named it or the folder it is in.
        name (str): Relative path, with ``/``, that no other file of the run has; for what is
            written about it.
    """

    path: Path
    name: str


def find_films(inputs: Sequence[Path], out: Path) -> list[FilmFile]:
    """List the films in files and folders, each once.

    Of a folder, with all folders below it, these are the files with an ending of a picture or of
    DICOM, with a number for an ending, or with none, as archives export DICOM. Hidden files and
    other kinds are passed over. A file that is named itself is taken whatever its ending.

    Args:
        inputs (Sequence[Path]): Files and folders.
        out (Path): Folder whose files are passed over: earlier results are no films.

    Returns:
        list[FilmFile]: In the order of the inputs, and sorted by path within a folder.

    Raises:
        UserError: If an input does not exist, or there is no film.
    """
    found: dict[str, Path] = {}
    places = []
    for given in inputs:
        if not given.exists():
            raise UserError(f'{given} does not exist. Check the path.')
        places.append(os.path.abspath(given if given.is_dir() else given.parent))
        if given.is_dir():
            paths = sorted({*image_files(given), *DicomFolder.files(given)})
            results = os.path.join(os.path.abspath(out), '')
            paths = [path for path in paths if not os.path.abspath(path).startswith(results)]
        else:
            paths = [given]
        for path in paths:
            found.setdefault(os.path.abspath(path), path)
    if not found:
        raise UserError(
            f'no film found in {", ".join(map(str, inputs))}: no PNG, JPEG, TIFF or DICOM file.'
        )
    base = os.path.commonpath(places)
    return [
        FilmFile(path, output_name(Path(absolute).relative_to(base)))
        for absolute, path in found.items()
    ]


def output_name(path: Path) -> str:
    """Name what is written about a file, without its new ending.

    Args:
        path (Path): Relative path of the file.

    Returns:
        str: The same path, ending included, because ``a.png`` and ``a.dcm`` may lie side by side.
        A name too long to get another ending is cut, and a hash keeps it apart from others.
    """
    name = os.fsencode(path.name)
    if len(name) > _LONGEST_NAME:
        digest = hashlib.sha256(name).hexdigest()[:16]
        kept = name[: _LONGEST_NAME - len(digest) - 1].decode('utf-8', 'ignore')
        return path.with_name(f'{kept}-{digest}').as_posix()
    return path.as_posix()

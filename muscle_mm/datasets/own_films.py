# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Which files of a user's own folder are films, and which cannot be read as such."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from muscle_mm.datasets.io.dicom import has_preamble, lacks_preamble
from muscle_mm.datasets.scanning import IMAGE_SUFFIXES, all_files, relative

#: The table of contents beside the DICOM files that an archive exports.
_CONTENTS = 'dicomdir'
#: No films, and nobody takes them for such.
_NOT_COUNTED = (_CONTENTS, 'annotations.json')
_DICOM_SUFFIXES = ('', '.dcm', '.dicom', '.dic', '.ima')
#: Pictures that ``read_xray`` does not know, or not by this name.
_UNREAD_SUFFIXES = (
    '.avif', '.bmp', '.dib', '.gif', '.heic', '.heif', '.j2k', '.jfif', '.jls', '.jp2', '.jpe',
    '.jpf', '.jpx', '.mha', '.nii', '.nii.gz', '.nrrd', '.pbm', '.pgm', '.pnm', '.ppm', '.psd',
    '.tga', '.webp',
)  # fmt: skip
_ENDING = re.compile(r'\.[a-z]\w*', re.ASCII)


def film_files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder that are films by their name, and DICOM without an ending.

    Pictures of kinds that are not read are among them, see ``unread_kind``: they must be reported,
    not passed over. So is a folder that cannot be listed.

    Args:
        folder (Path): Where to start; a missing folder is empty.

    Yields:
        Path: The next file, in sorted order.
    """
    for path in all_files(folder):
        if (
            path.name.lower().endswith(IMAGE_SUFFIXES + _UNREAD_SUFFIXES)
            or path.is_dir()
            or (may_be_dicom(path) and _begins_as_dicom(path))
        ):
            yield path


def may_be_dicom(path: Path) -> bool:
    """Whether a name is one that archives give to DICOM files.

    Args:
        path (Path): The file.

    Returns:
        bool: True with an ending of DICOM, with a number for an ending (``1.2.840.10008.7``), or
        with none (``IM000001``), ``DICOMDIR`` excepted.
    """
    ending = path.suffix.lower()
    return path.name.lower() != _CONTENTS and (ending in _DICOM_SUFFIXES or ending[1:].isdigit())


def unread_kind(path: Path) -> str | None:
    """Give the reason against a picture of a kind that is not read.

    Args:
        path (Path): The file.

    Returns:
        str | None: The reason and the remedy, or None.
    """
    for ending in _UNREAD_SUFFIXES:
        if path.name.lower().endswith(ending):
            return f'{ending} files are not read; convert it to PNG, of 16 bits if it has them'
    return None


def without_ending(path: Path) -> Path:
    """Drop the ending of a film or mask, but not the last number of a DICOM file's name."""
    return path.with_suffix('') if path.name.lower().endswith(IMAGE_SUFFIXES) else path


def count_other_files(source: Path, known: Collection[str]) -> dict[str, int]:
    """Count the files that nothing was made of, so that films among them are missed by nobody.

    Args:
        source (Path): The folder of the set.
        known (Collection[str]): Files that are used or reported, relative to it.

    Returns:
        dict[str, int]: Ending, '' for none, to number; the most frequent first.
    """
    known = {unicodedata.normalize('NFC', name) for name in known}
    counts = Counter(
        ending if _ENDING.fullmatch(ending := path.suffix.lower()) else ''
        for path in all_files(source)
        if unicodedata.normalize('NFC', relative(path, source)) not in known
        and path.name.lower() not in _NOT_COUNTED
    )
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _begins_as_dicom(path: Path) -> bool:
    """Whether a file is DICOM, an unreadable old one included; True if it cannot be opened."""
    try:
        # Opening a pipe would wait for ever.
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with open(path, 'rb') as file:
            head = file.read(132)
        return has_preamble(head) or lacks_preamble(head)
    except OSError:
        return True

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What the generic folder layouts share."""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from muscle_mm.datasets.manifest import SPLITS
from muscle_mm.datasets.own_films import unread_kind
from muscle_mm.utils.errors import UserError


def split_folders(source: Path) -> list[tuple[str | None, Path]]:
    """Find the folders train, val and test.

    Args:
        source (Path): The folder of the set.

    Returns:
        list[tuple[str | None, Path]]: Split and folder; the source itself under None where there
        are no such folders.
    """
    found: list[tuple[str | None, Path]] = [
        (split, source / split) for split in SPLITS if (source / split).is_dir()
    ]
    return found or [(None, source)]


def patient_of(path: Path, source: Path, pattern: str | None) -> str | None:
    """Name the patient of a file by its name, or by the folders it is in.

    Args:
        path (Path): The file.
        source (Path): The folder of the set.
        pattern (str, optional): Regular expression searched in the file name, or, where the pattern
            holds a ``/``, in the path below the source; its first group, or else the whole match,
            is the patient. None takes the file name without its ending.

    Returns:
        str | None: The patient, accents in one with their letters (NFC): one patient must not be
        two because a Mac wrote some of the names. None if the pattern does not match.

    Raises:
        UserError: If the pattern is no regular expression.
    """
    if pattern is None:
        return unicodedata.normalize('NFC', path.stem)
    try:
        name = path.relative_to(source).as_posix() if '/' in pattern else path.name
        name = unicodedata.normalize('NFC', name)
        match = re.search(unicodedata.normalize('NFC', pattern), name)
    except re.error as error:
        raise UserError(
            f'the patient pattern {pattern!r} is no regular expression: {error}.'
        ) from error
    if match is None:
        return None
    return match.group(1) if match.re.groups else match.group()


def record_of(
    path: Path,
    source: Path,
    split: str | None,
    patient_pattern: str | None,
    inverted: str | None,
    frame: int | None,
) -> dict[str, object]:
    """Begin the raw record of an image.

    Args:
        path (Path): The image.
        source (Path): The folder of the set.
        split (str, optional): The folder's split.
        patient_pattern (str, optional): See ``patient_of``.
        inverted (str, optional): Pattern such as '*MONOCHROME1*.png' of file names whose pixels
            store bone dark, which a PNG or TIFF cannot say itself.
        frame (int, optional): The frame to use, from 0, of files that hold several; None rejects
            these.

    Returns:
        dict: ``img_path``, ``patient_id`` or ``problem``, and where there are such ``split``,
        ``inverted`` and ``frame``. Without a pattern, ``patient_from_header`` asks for the patient
        of a DICOM header, which is read later, with the image and by many processes.
    """
    record: dict[str, object] = {'img_path': path.relative_to(source).as_posix()}
    if split is not None:
        record['split'] = split
    patient = patient_of(path, source, patient_pattern)
    if not patient:
        searched = 'path' if '/' in str(patient_pattern) else 'file name'
        record['problem'] = f'the patient pattern {patient_pattern!r} does not match the {searched}'
    else:
        record['patient_id'] = patient
    if patient_pattern is None:
        record['patient_from_header'] = True
    if inverted is not None and fnmatch.fnmatch(path.name, inverted):
        record['inverted'] = True
    if frame is not None:
        record['frame'] = frame
    unread = unread_kind(path)
    if unread is not None:
        record['problem'] = unread
    return record


def strays(source: Path, files: Iterator[Path]) -> Iterator[dict[str, object]]:
    """Report the images that lie beside the folders train, val and test."""
    for path in files:
        name = path.relative_to(source).as_posix()
        if name.split('/')[0] not in SPLITS:
            yield {'img_path': name, 'problem': 'lies outside the folders train, val and test'}

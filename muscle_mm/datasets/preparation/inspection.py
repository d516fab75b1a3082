# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Look into one image of a set: can it be read, how large is it, whose is it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muscle_mm.datasets.dicom_header import read_dicom_header
from muscle_mm.datasets.dicom_modality import no_radiograph
from muscle_mm.datasets.io import XrayReadError, inspect_xray
from muscle_mm.datasets.preparation.masks import join_masks, mask_target
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.file_digest import file_sha256
from muscle_mm.utils.parallel import LOST_REASON

#: What an inspection depends on, besides the files themselves.
_ASKED = ('img_path', 'frame', 'masks', 'patient_from_header')

#: Size in bytes, time of the last change of the content and of the file's entry, in nanoseconds.
Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Inspection:
    """What is known about an image after it has been read.

    Attributes:
        found (dict): Keys for its record: height, width, bytes, bits, sha256 and, where it has
            them, patient_id and seg_map_path.
        problem (str, optional): The reason against it.
        stamps (list[Stamp]): Of the image, its masks and the joined mask, to see later whether they
            have changed.
    """

    found: dict[str, Any]
    problem: str | None = None
    stamps: list[Stamp] | None = None


def question_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Take from a raw record what its inspection depends on.

    Args:
        record (Mapping): A raw record.

    Returns:
        dict: Some of its keys.
    """
    return {key: record[key] for key in _ASKED if key in record}


def stamps_of(question: Mapping[str, Any], source: Path, out: Path) -> list[Stamp] | None:
    """Look at size and times of the files of an image, without reading them.

    Args:
        question (Mapping): See ``question_of``.
        source (Path): The folder of the set.
        out (Path): The folder of the manifest.

    Returns:
        list[Stamp] | None: One for each file, or None if one is missing.
    """
    files = [source / question['img_path']]
    if 'masks' in question:
        files += [source / mask for mask in question['masks']]
        files.append(out / mask_target(question['img_path']))
    try:
        return [_stamp(path) for path in files]
    except (OSError, ValueError):
        return None


def inspect_image(question: Mapping[str, Any], source: Path, out: Path) -> Inspection:
    """Read an image and its masks.

    Args:
        question (Mapping): See ``question_of``.
        source (Path): The folder of the set.
        out (Path): The folder of the manifest, where the joined mask is written.

    Returns:
        Inspection: What was found, or the reason against the image.

    Raises:
        UserError: If a package is missing that is needed to read the file.
    """
    path = source / question['img_path']
    try:
        for name in _sources(question):
            if not _is_file(source / name):
                return Inspection({}, f'not a file: {name} is a folder, a pipe or a device')
        # The stamps are older than the reading: a file that changes meanwhile is read again.
        sources = [_stamp(source / name) for name in _sources(question)]
        found, problem = _read(question, path)
        if problem is None and 'masks' in question:
            name, shape = question['img_path'], (found['height'], found['width'])
            problem = join_masks(name, question['masks'], source, out, shape)
            found['seg_map_path'] = mask_target(name)
        if problem is not None:
            return Inspection({}, problem)
        joined = [_stamp(out / found['seg_map_path'])] if 'masks' in question else []
        return Inspection(found, None, sources + joined)
    except XrayReadError as error:
        return Inspection({}, error.reason)
    except UserError:
        raise
    except FileNotFoundError as error:
        missing = Path(str(error.filename))
        reason = 'the file does not exist'
        if missing.is_symlink():
            reason = 'a link to a file that does not exist'
        return Inspection({}, reason if missing == path else f'{missing.name}: {reason}')
    except OSError as error:
        return Inspection({}, error.strerror or str(error))
    except Exception as error:
        # Damaged files make the decoders raise nearly anything; one of them must not end the run.
        return Inspection({}, f'cannot be read ({type(error).__name__}: {error})')


def lost_inspection(question: Mapping[str, Any]) -> Inspection:
    """Give the result for an image that ended the process which read it.

    Args:
        question (Mapping): See ``question_of``.

    Returns:
        Inspection: With the reason.
    """
    return Inspection({}, LOST_REASON)


def _read(question: Mapping[str, Any], path: Path) -> tuple[dict[str, Any], str | None]:
    """Read the image itself."""
    film = inspect_xray(path, frame=question.get('frame'))
    header = read_dicom_header(path)
    problem = None if header is None else no_radiograph(header.modality)
    if problem is not None:
        return {}, problem
    if film.one_value:
        return {}, f'holds nothing: {film.width} x {film.height} pixels of one grey value only'
    found: dict[str, Any] = {
        'height': film.height,
        'width': film.width,
        'bits': film.bits,
        'bytes': path.stat().st_size,
        'sha256': file_sha256(path),
    }
    if header is not None and header.patient is not None and question.get('patient_from_header'):
        found['patient_id'] = header.patient
    return found, None


def _sources(question: Mapping[str, Any]) -> list[str]:
    """Name the files of the source that belong to an image."""
    return [question['img_path'], *question.get('masks', ())]


def _is_file(path: Path) -> bool:
    """Whether a path is a file: opening a pipe would wait for ever."""
    return stat.S_ISREG(os.stat(path).st_mode)


def _stamp(path: Path) -> Stamp:
    """Look at size and times of a file."""
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns

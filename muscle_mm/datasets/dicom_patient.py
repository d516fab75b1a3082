# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Whose film a DICOM file is, under a pseudonym."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import Path

from muscle_mm.datasets.io import XrayReadError


def dicom_patient(path: Path) -> str | None:
    """Read the patient of a DICOM header, as a hash: nobody is to be named by accident.

    The hash is a pseudonym, not a secret: it is the same in all sets, and whoever can guess the
    numbers of a hospital can hash them all and turn it back. A manifest is patient data.
    Where the header has no PatientID, the films of one study count as one patient.

    Args:
        path (Path): The file.

    Returns:
        str | None: 'dicom-' and the hash of the PatientID, or 'study-' and the hash of the
        StudyInstanceUID; None if the file is no DICOM file or has neither.

    Raises:
        XrayReadError: If the header is damaged.
    """
    with open(path, 'rb') as file:
        if file.read(132)[128:] != b'DICM':
            return None
    import pydicom

    tags = ['PatientID', 'StudyInstanceUID', 'SpecificCharacterSet']
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags)
        patient = str(header.get('PatientID') or '').strip()
        study = str(header.get('StudyInstanceUID') or '').strip()
    except Exception as error:
        raise XrayReadError(path, f'damaged DICOM header ({error})') from error
    if patient:
        return hashed_patient(patient)
    return f'study-{_hash(study)}' if study else None


def hashed_patient(patient: str) -> str:
    """Write a PatientID as a manifest does; see ``dicom_patient`` for what that hides.

    Args:
        patient (str): As in the DICOM header.

    Returns:
        str: 'dicom-' and a hash.
    """
    written = unicodedata.normalize('NFC', patient.strip())
    return f'dicom-{_hash(written)}'


def is_hashed(patient: str) -> bool:
    """Whether an id comes from a header; such ids are the same in whatever set a film is.

    Args:
        patient (str): As in a manifest.

    Returns:
        bool: False for an id from a file name or a table.
    """
    return patient.startswith(('dicom-', 'study-'))


def _hash(text: str) -> str:
    """Shorten a text to 64 bits, written in hexadecimal."""
    return hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()[:16]

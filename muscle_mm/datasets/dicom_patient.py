# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""How a manifest names the patients of DICOM headers: by pseudonyms.

They keep a name from being read by accident, and are the same in whatever set a film is. They are
no secret: whoever can guess the numbers of a hospital can hash them all and turn a pseudonym back.
A manifest is patient data.
"""

from __future__ import annotations

import hashlib
import unicodedata

_PATIENT, _STUDY = 'dicom-', 'study-'


def hashed_patient(patient: str) -> str:
    """Write a PatientID as a manifest does.

    Args:
        patient (str): As in the DICOM header.

    Returns:
        str: 'dicom-' and a hash.
    """
    return _PATIENT + _hash(unicodedata.normalize('NFC', patient.strip()))


def hashed_study(study: str) -> str:
    """Write a StudyInstanceUID in place of the patient that a header does not name.

    Args:
        study (str): As in the DICOM header.

    Returns:
        str: 'study-' and a hash.
    """
    return _STUDY + _hash(study)


def is_hashed(patient: str) -> bool:
    """Whether an id comes from a header.

    Args:
        patient (str): As in a manifest.

    Returns:
        bool: False for an id from a file name or a table.
    """
    return patient.startswith((_PATIENT, _STUDY))


def _hash(text: str) -> str:
    """Shorten a text to 64 bits, written in hexadecimal."""
    return hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()[:16]

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What a preparation takes from a DICOM header, besides the film."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from muscle_mm.datasets.dicom_patient import hashed_patient, hashed_study
from muscle_mm.datasets.io import XrayReadError
from muscle_mm.datasets.io.dicom import has_preamble

_TAGS = ('Modality', 'PatientID', 'StudyInstanceUID', 'SpecificCharacterSet')


class DicomHeader(NamedTuple):
    """Whose film it is, and what has made it.

    Attributes:
        patient (str, optional): The id of the patient as in a manifest. Where the header has no
            PatientID, the films of one study count as one patient. None if it has neither.
        modality (str): As in the header, in capitals; '' where there is none.
    """

    patient: str | None
    modality: str


def read_dicom_header(path: Path) -> DicomHeader | None:
    """Read the header of a file that has been read as a film before.

    Args:
        path (Path): The file, of any kind.

    Returns:
        DicomHeader | None: None if the file is no DICOM file.

    Raises:
        XrayReadError: If the header is damaged.
    """
    with open(path, 'rb') as file:
        if not has_preamble(file.read(132)):
            return None
    import pydicom

    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=[*_TAGS])
        modality, patient, study = (str(header.get(tag) or '').strip() for tag in _TAGS[:3])
    except Exception as error:
        raise XrayReadError(path, f'damaged DICOM header ({error})') from error
    id_of_study = hashed_study(study) if study else None
    return DicomHeader(hashed_patient(patient) if patient else id_of_study, modality.upper())

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Which DICOM files cannot be radiographs, by what has made them."""

from __future__ import annotations

#: Terms of DICOM PS3.3 C.7.3.1.1.1 for what is never one radiograph. Only what is certain: CR, DX,
#: RG, RF, XA, MG, IO and PX are radiographs, and many are tagged OT, HC, SC, in a way of a vendor's
#: own (DR), or not at all.
NO_RADIOGRAPHS = frozenset(
    {
        # sections, volumes, isotopes
        *('CT', 'MR', 'MA', 'MS', 'PT', 'NM', 'ST'),
        # ultrasound
        *('US', 'BDUS', 'IVUS', 'EC', 'CD', 'DD'),
        # visible light, and the eye
        *('ES', 'GM', 'SM', 'CFM', 'DMS', 'XC', 'TG', 'OSS', 'OCT', 'IVOCT'),
        *('OP', 'OPT', 'OPM', 'OPV', 'OPTENF', 'OPTBSV', 'OAM', 'IOL', 'KER', 'LEN', 'SRF'),
        # curves and sound
        *('ECG', 'EPS', 'EEG', 'EMG', 'EOG', 'HD', 'RESP', 'AU'),
        # reports, and what is said about other images
        *('SR', 'DOC', 'KO', 'PR', 'ANN', 'ASMT', 'SEG', 'REG', 'FID', 'RWV', 'SMR', 'M3D'),
        *('PLAN', 'CTPROTOCOL', 'XAPROTOCOL', 'TEXTUREMAP'),
        # radiotherapy, but for its images
        *('RTDOSE', 'RTPLAN', 'RTSTRUCT', 'RTRECORD', 'RTINTENT', 'RTRAD', 'RTSEGANN'),
    }
)


def no_radiograph(modality: str) -> str | None:
    """Say why a file of a modality cannot be a radiograph.

    Args:
        modality (str): As in the DICOM header; '' where there is none.

    Returns:
        str | None: The reason, or None if it may be one.
    """
    return f'no radiograph (Modality {modality})' if modality in NO_RADIOGRAPHS else None

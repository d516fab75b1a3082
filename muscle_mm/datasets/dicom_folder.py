# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Any folder of DICOM files, as an archive exports it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from muscle_mm.datasets.own_films import may_be_dicom
from muscle_mm.datasets.scanning import all_files
from muscle_mm.datasets.xray_folder import XrayFolder
from muscle_mm.registry import DATASETS


@DATASETS.register_module()
class DicomFolder(XrayFolder):
    """Any folder of DICOM files, as a hospital's archive exports it.

    Files may have no ending (``IM000001``) or a number for one (``1.2.840.10008.7``). Other kinds
    of files, such as the viewer that is exported along, are passed over, and so is ``DICOMDIR``;
    the summary counts them. What holds no film (structured reports, CT slices, ultrasound; by its
    Modality) is reported.

    Patients come from the PatientID of the header, as a hash: a pseudonym that whoever can guess
    the numbers can turn back, so that a manifest is patient data. Where the PatientID is empty, the
    films of a study count as one patient. A regular expression on the file name or the path comes
    first.
    Labels come from a table (``--labels FILE``), in which a patient is written as in the header, or
    from folders as in ``XrayFolder``. Without labels, all images train.
    """

    EXPECTED_PATHS = ('**/*.dcm', '**/* (DICOM files without an ending)')

    @classmethod
    def files(cls, folder: Path) -> Iterator[Path]:
        """Yield the files that may be DICOM; see ``XrayFolder.files``."""
        for path in all_files(folder):
            if may_be_dicom(path) or path.is_dir():
                yield path

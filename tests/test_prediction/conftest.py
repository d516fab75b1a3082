# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from muscle_mm.prediction.film_files import FilmFile


@pytest.fixture
def dicom_film(tmp_path):
    """Write a DICOM film of a gradient; further arguments become header fields."""
    import numpy as np
    import pydicom
    from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

    def write(name='film.dcm', **fields):
        data = pydicom.Dataset()
        data.file_meta = pydicom.dataset.FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
        data.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid(entropy_srcs=[name])
        data.Rows, data.Columns = 20, 30
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
        data.PixelRepresentation, data.SamplesPerPixel = 0, 1
        data.PhotometricInterpretation = 'MONOCHROME2'
        data.PixelData = np.arange(600, dtype=np.uint16).tobytes()
        data['PixelData'].VR = 'OW'
        for key, value in fields.items():
            setattr(data, key, value)
        path = tmp_path / name
        data.save_as(path, enforce_file_format=True)
        return path

    return write


@pytest.fixture
def film_file():
    """Name a path as a run does."""
    return lambda path: FilmFile(Path(path), Path(path).name)

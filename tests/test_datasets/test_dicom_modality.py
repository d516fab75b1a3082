# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import csv

import numpy as np
import pytest

from muscle_mm.datasets.dicom_modality import NO_RADIOGRAPHS, no_radiograph
from muscle_mm.datasets.preparation import prepare

PIXELS = np.arange(16, dtype=np.uint16).reshape(4, 4)


@pytest.mark.parametrize(
    'modality',
    ['CR', 'DX', 'DR', 'RG', 'RF', 'XA', 'MG', 'IO', 'PX', 'RTIMAGE', 'OT', 'SC', 'HC', 'XR', ''],
)
def test_what_may_be_a_radiograph_passes(modality):
    assert no_radiograph(modality) is None


@pytest.mark.parametrize('modality', sorted(NO_RADIOGRAPHS))
def test_what_cannot_be_one_has_a_reason(modality):
    assert no_radiograph(modality) == f'no radiograph (Modality {modality})'


# a value in small letters
@pytest.mark.filterwarnings('ignore:Invalid value for VR CS')
@pytest.mark.parametrize('pattern', [None, r'^(\w)'])
def test_an_export_with_more_than_radiographs(tmp_path, dicom, pattern):
    modalities = {'a': 'CR', 'b': 'CT', 'c': 'us', 'd': None, 'e': ['CR', 'CT'], 'f': 'SR'}
    for name, modality in modalities.items():
        fields = {} if modality is None else {'Modality': modality}
        dicom(PIXELS, name=f'export/{name}.dcm', PatientID=name, **fields)
    options = {'patient_pattern': pattern, 'progress': False}
    for layout in ('DicomFolder', 'XrayFolder'):
        out = tmp_path / layout
        summary = prepare(layout, tmp_path / 'export', out, **options)
        kept = [record['img_path'] for record in summary.records]
        assert kept == ['a.dcm', 'd.dcm', 'e.dcm']
        with open(out / 'rejected.csv', newline='') as file:
            assert {row['path']: row['reason'] for row in csv.DictReader(file)} == {
                'b.dcm': 'no radiograph (Modality CT)',
                'c.dcm': 'no radiograph (Modality US)',
                'f.dcm': 'no radiograph (Modality SR)',
            }

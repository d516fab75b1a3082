# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Real films, where they lie beside the project."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from muscle_mm.datasets.io import read_xray
from muscle_mm.datasets.preparation import prepare

FILMS = Path(__file__).resolve().parents[3] / 'shared' / 'real_xrays'
pytestmark = pytest.mark.skipif(not FILMS.is_dir(), reason=f'no real films in {FILMS}')


@pytest.mark.parametrize(
    ('name', 'shape'),
    [
        ('chest_MONOCHROME1_15bit_jpegls', (1955, 1841)),
        ('hip_MONOCHROME2_10bit_jpeg2000', (2140, 1760)),
        ('leg_MONOCHROME1_10bit_jpeglossless', (1760, 1760)),
        ('leg_MONOCHROME1_10bit_rle', (1760, 1760)),
    ],
)
def test_dicom_of_every_compression(name, shape):
    film = read_xray(FILMS / 'dicom' / f'{name}.dcm')
    assert film.shape == shape and film.dtype == np.uint8
    assert film.std() > 30


def test_two_compressions_of_a_film_give_the_same_pixels():
    films = [
        read_xray(FILMS / f'dicom/leg_MONOCHROME1_10bit_{compression}.dcm')
        for compression in ('jpeglossless', 'rle')
    ]
    np.testing.assert_array_equal(*films)


def test_bone_is_bright():
    leg = read_xray(FILMS / 'dicom/leg_MONOCHROME1_10bit_rle.dcm')
    # The shin bone runs down the middle; beside the leg is air.
    assert leg[800, 750:800].mean() > leg[800, 480:560].mean() + 60


def test_png_with_the_same_film_stored_inverted():
    leg = read_xray(FILMS / 'dicom/leg_MONOCHROME1_10bit_rle.dcm')
    png = read_xray(FILMS / 'png16/RG3_extremity_MONOCHROME1_10bit.png')
    assert np.corrcoef(leg[::20, ::20].ravel(), png[::20, ::20].ravel())[0, 1] < -0.95


@pytest.mark.parametrize(
    ('folder', 'name', 'options', 'images'),
    [
        ('dicom', 'XrayFolder', {}, {'train': 4}),
        ('lung_boxes', 'XrayBoxFolder', {}, {'train': 83, 'val': 12, 'test': 16}),
        (
            'knee',
            'XrayFolder',
            {'patient_pattern': r'^(\d+)'},
            {'train': 251, 'val': 23, 'test': 44},
        ),
    ],
)
def test_prepare(folder, name, options, images, tmp_path):
    summary = prepare(name, FILMS / folder, tmp_path / folder, progress=False, **options)
    assert summary.rejected == 0
    assert Counter(record['split'] for record in summary.records) == images
    assert summary.patients_in_several_splits == 0

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Real films, where they lie beside the project."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from muscle_mm.datasets.checking.fingerprint import fingerprint
from muscle_mm.datasets.checking.near_copies import find_near_copies
from muscle_mm.datasets.io import read_xray
from muscle_mm.datasets.scanning import image_files

FILMS = Path(__file__).resolve().parents[4] / 'shared' / 'real_xrays'
pytestmark = pytest.mark.skipif(not FILMS.is_dir(), reason=f'no real films in {FILMS}')


def prints(films):
    return np.stack([fingerprint(film, '0' * 64) for film in films])


def test_follow_up_films_are_no_copies():
    films = [read_xray(path) for path in image_files(FILMS / 'nih64')]
    assert len(films) == 200
    assert find_near_copies(prints(films)) == []


@pytest.mark.parametrize('folder', ['knee/test', 'pneumonia/chest_xray/test'])
def test_copies_are_found_and_nothing_else(folder):
    films = [read_xray(path) for path in list(image_files(FILMS / folder))[::2]]
    copies = [cv2.resize(film[2:-3, 3:-1] // 2 + 50, (150, 170)) for film in films]
    rows = prints([*films, *copies])
    first = [np.flatnonzero((rows['pixels'] == row).all(axis=1))[0] for row in rows['pixels']]
    assert first == list(range(len(rows)))
    found = [(pair.first, pair.second) for pair in find_near_copies(rows)]
    assert found == [(i, i + len(films)) for i in range(len(films))]


def test_film_in_two_formats_and_depths():
    dicom = read_xray(FILMS / 'dicom/leg_MONOCHROME1_10bit_rle.dcm')
    png = read_xray(FILMS / 'png16/RG3_extremity_MONOCHROME1_10bit.png')
    rows = np.stack([fingerprint(dicom, '0' * 64), fingerprint(png, '1' * 64, inverted=True)])
    (pair,) = find_near_copies(rows)
    assert pair.similarity > 0.99

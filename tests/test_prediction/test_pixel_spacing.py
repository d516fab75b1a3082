# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest
from PIL import Image

from muscle_mm.prediction.pixel_spacing import PixelSpacing, read_pixel_spacing


def test_the_calibrated_spacing_comes_first(dicom_film):
    path = dicom_film(PixelSpacing=[0.2, 0.1], ImagerPixelSpacing=[0.3, 0.3])
    assert read_pixel_spacing(path) == PixelSpacing(0.2, 0.1, 'PixelSpacing')


def test_else_that_of_the_detector(dicom_film):
    path = dicom_film(PixelSpacing=[0, 0], ImagerPixelSpacing=[0.3, 0.3])
    assert read_pixel_spacing(path) == PixelSpacing(0.3, 0.3, 'ImagerPixelSpacing')


@pytest.mark.parametrize('value', [None, [-1, 1], [0.2]])
def test_useless_values_are_none(dicom_film, value):
    assert read_pixel_spacing(dicom_film(PixelSpacing=value)) is None


def test_pictures_have_none(tmp_path):
    Image.new('L', (4, 4)).save(tmp_path / 'film.png')
    assert read_pixel_spacing(tmp_path / 'film.png') is None

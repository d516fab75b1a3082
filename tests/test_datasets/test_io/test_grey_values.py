# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest

from muscle_mm.datasets.io import invert, scale_to_uint8


@pytest.mark.parametrize('percentiles', [(0.5, 99.5), (0, 100), (10, 50.3)])
@pytest.mark.parametrize('dtype', ['uint8', 'uint16', '>u2', 'int16', 'int32', 'uint32', 'float32'])
@pytest.mark.parametrize('shape', [(41, 67), (5,), (3, 4, 5)])
def test_percentiles_are_those_of_numpy(reference, dtype, shape, percentiles):
    kind = np.dtype(dtype)
    low, high = (0, 1) if kind.kind == 'f' else (np.iinfo(kind).min, np.iinfo(kind).max)
    random = np.random.default_rng(0)
    # Half a bell: dark values are more frequent than bright ones.
    pixels = (low + (high - low) * np.abs(random.normal(0, 0.3, shape)).clip(0, 1)).astype(dtype)
    scaled = scale_to_uint8(pixels, percentiles)
    assert scaled.dtype == np.uint8
    assert reference.difference(scaled, reference.scaled(pixels, percentiles)) <= 1
    assert (scaled == reference.scaled(pixels, percentiles)).mean() > 0.99


@pytest.mark.parametrize('pixels', [np.full((3, 3), 700, np.uint16), np.full((3, 3), np.nan)])
def test_one_value_gives_zeros(pixels):
    assert not scale_to_uint8(pixels).any()


def test_contrast_that_the_percentiles_would_lose_is_kept():
    pixels = np.zeros((100, 100), dtype=np.uint16)
    pixels[0, 0] = 9
    assert scale_to_uint8(pixels)[0, 0] == 255


@pytest.mark.parametrize('dtype', ['uint8', 'uint16', 'float32'])
def test_inverting(dtype):
    top = 1 if dtype == 'float32' else np.iinfo(dtype).max
    film = np.array([[0, top]], dtype)
    assert invert(film).dtype == film.dtype
    assert invert(film).tolist() == [[top, 0]]


def test_a_histogram_of_one_dimension_will_do(monkeypatch):
    """OpenCV 4 gives (bins, 1), OpenCV 5 (bins,)."""
    pixels = np.random.default_rng(0).integers(0, 1024, (50, 60), dtype=np.uint16)
    expected = scale_to_uint8(pixels)
    histogram = cv2.calcHist
    monkeypatch.setattr(cv2, 'calcHist', lambda *given: histogram(*given).ravel())
    assert (scale_to_uint8(pixels) == expected).all()

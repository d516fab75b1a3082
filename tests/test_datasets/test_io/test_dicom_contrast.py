# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Every way from stored values to grey values, against numpy and against pydicom's own."""

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from muscle_mm.datasets.io import XrayReadError, read_xray

TOPS = {'uint8': 255, 'uint16': 65535, 'float32': 1}
RAMP = np.arange(0, 4096, 7, dtype=np.uint16)[:585].reshape(9, 65)


def lookup_table(entries, first=0, bits=16, packed=False):
    """A LUT sequence of one item."""
    item = pydicom.Dataset()
    item.LUTDescriptor = [len(entries) % 2**16, first, bits]
    item['LUTDescriptor'].VR = 'SS' if first < 0 else 'US'
    item.LUTData = np.asarray(entries, '<u2').tobytes() if packed else list(entries)
    item['LUTData'].VR = 'OW' if packed else 'US'
    return pydicom.Sequence([item])


def as_pydicom_shows_it(path):
    """From 0 to 1: between what pydicom's window gives for the darkest and the brightest."""
    data = pydicom.dcmread(path)
    windowed = apply_voi_lut(apply_modality_lut(data.pixel_array, data), data)
    with np.errstate(over='ignore'):
        black, white = sorted(apply_voi_lut(np.array([-1e7, 1e7]), data))
    shades = (windowed - black) / (white - black)
    return 1 - shades if data.PhotometricInterpretation == 'MONOCHROME1' else shades


@pytest.mark.parametrize('dtype', ['uint8', 'uint16', 'float32'])
@pytest.mark.parametrize('photometric', ['MONOCHROME1', 'MONOCHROME2'])
@pytest.mark.parametrize('rescale', [{}, {'RescaleSlope': 1.7, 'RescaleIntercept': -1024}])
@pytest.mark.parametrize('function', [None, 'LINEAR', 'LINEAR_EXACT', 'SIGMOID'])
def test_windows_as_pydicom_applies_them(dicom, dtype, photometric, rescale, function):
    fields = {'WindowCenter': 1500.5, 'WindowWidth': 1300, **rescale}
    fields |= {'PhotometricInterpretation': photometric, 'BitsStored': 12, 'HighBit': 11}
    if function:
        fields['VOILUTFunction'] = function
    path = dicom(RAMP, **fields)
    film = read_xray(path, dtype=dtype)
    assert film.dtype == dtype and film.flags.c_contiguous
    top = TOPS[dtype]
    assert abs(film - as_pydicom_shows_it(path) * top).max() <= (1e-6 if top == 1 else 0.5001)


def test_linear_window_in_numbers(dicom):
    pixels = np.array([[0, 100, 150, 200, 4000]], dtype=np.uint16)
    read = read_xray(dicom(pixels, BitsStored=12, HighBit=11, WindowCenter=150, WindowWidth=101))
    # The standard's linear window runs from center - 0.5 - (width - 1) / 2.
    assert read.tolist() == [[0, 1, 129, 255, 255]]


def test_window_that_the_pixels_do_not_fill(dicom):
    pixels = np.array([[100, 150]], dtype=np.uint16)
    assert read_xray(dicom(pixels, WindowCenter=150, WindowWidth=201)).tolist() == [[64, 128]]


def test_first_of_several_windows(dicom):
    pixels = np.array([[0, 100, 200]], dtype=np.uint16)
    path = dicom(pixels, WindowCenter=[100, 1000], WindowWidth=[201, 50])
    assert read_xray(path).tolist() == [[1, 128, 255]]


@pytest.mark.parametrize(
    'window',
    [
        {},
        {'WindowCenter': 5},
        {'WindowCenter': 5, 'WindowWidth': 0},
        {'WindowCenter': 5, 'WindowWidth': 1},
        {'WindowCenter': '', 'WindowWidth': ''},
        {'WindowCenter': 5, 'WindowWidth': 20, 'VOILUTFunction': 'MAGIC'},
        {'WindowCenter': 50000, 'WindowWidth': 20},  # would leave nothing but black
        {'VOILUTSequence': []},
        {'RescaleSlope': '', 'RescaleIntercept': ''},
    ],
)
def test_percentiles_where_there_is_no_usable_window(dicom, reference, film12, window):
    path = dicom(film12, **window)
    assert reference.difference(read_xray(path), reference.scaled(film12)) <= 1
    wide = read_xray(path, (0, 100))
    assert reference.difference(wide, reference.scaled(film12, (0, 100))) <= 1
    assert abs(wide.astype(int) - read_xray(path)).max() > 1


def test_rescale_comes_before_the_window(dicom):
    pixels = np.array([[0, 50, 100]], dtype=np.uint16)
    path = dicom(pixels, RescaleSlope=2, RescaleIntercept=-100, WindowCenter=0, WindowWidth=201)
    assert read_xray(path).tolist() == [[1, 128, 255]]


def test_falling_rescale_turns_the_percentiles(dicom, reference, film12):
    path = dicom(film12, RescaleSlope=-2, RescaleIntercept=9000)
    expected = reference.scaled(9000 - 2 * film12.astype(int))
    assert reference.difference(read_xray(path), expected) <= 1


@pytest.mark.parametrize('packed', [False, True])
@pytest.mark.parametrize('first', [0, 100])
def test_modality_lookup_table(dicom, reference, first, packed):
    stored = np.arange(0, 400, dtype=np.uint16).reshape(20, 20)
    entries = (np.sqrt(np.arange(256)) * 1000).astype(int)
    path = dicom(stored, ModalityLUTSequence=lookup_table(entries, first, packed=packed))
    looked_up = entries[np.clip(stored.astype(int) - first, 0, 255)]
    assert reference.difference(read_xray(path), reference.scaled(looked_up)) <= 1


@pytest.mark.parametrize('packed', [False, True])
@pytest.mark.parametrize(('first', 'intercept'), [(0, 0), (1000, 0), (-200, -200)])
def test_voi_lookup_table(dicom, first, intercept, packed):
    entries = (4000 * np.linspace(0, 1, 3000) ** 2).astype(int)
    fields = {'RescaleSlope': 1, 'RescaleIntercept': intercept} if intercept else {}
    fields['VOILUTSequence'] = lookup_table(entries, first, packed=packed)
    path = dicom(RAMP, **fields, WindowCenter=1, WindowWidth=2)  # the table comes first
    places = np.clip(RAMP.astype(int) + intercept - first, 0, 2999)
    np.testing.assert_allclose(read_xray(path), entries[places] * 255 / entries[-1], atol=0.5001)


def test_voi_lookup_table_of_all_65536_entries_and_of_8_bits(dicom):
    pixels = np.array([[0, 20000, 65535]], np.uint16)
    full = dicom(pixels, VOILUTSequence=lookup_table(range(65536)))
    assert read_xray(full, dtype='uint16').tolist() == pixels.tolist()
    # More entries than 8 bits count.
    entries = np.arange(4096) // 16
    path = dicom(RAMP, VOILUTSequence=lookup_table(entries, bits=8))
    np.testing.assert_array_equal(read_xray(path), RAMP // 16)


def test_signed_voi_lookup_table_whose_start_was_written_as_unsigned(dicom):
    table = lookup_table([0, 100, 200, 300], first=65534)  # meant as -2
    pixels = np.array([[-3, -2, -1, 0, 1, 5]], np.int16)
    read = read_xray(dicom(pixels, VOILUTSequence=table))
    assert read.tolist() == [[0, 0, 85, 170, 255, 255]]


def test_voi_lookup_table_keeps_its_ends(dicom):
    table = lookup_table([0, 1000, 3000, 4000])
    pixels = np.array([[0, 1, 2, 3, 9]], dtype=np.uint16)
    assert read_xray(dicom(pixels, VOILUTSequence=table)).tolist() == [[0, 64, 191, 255, 255]]


def test_damaged_lookup_table(dicom):
    table = lookup_table([0, 100, 200, 300])
    del table[0].LUTDescriptor
    table[0].LUTDescriptor = 4
    with pytest.raises(XrayReadError, match='damaged DICOM header'):
        read_xray(dicom(RAMP, VOILUTSequence=table))


def test_monochrome1_is_inverted(dicom):
    pixels = np.array([[0, 100, 200]], dtype=np.uint16)
    window = {'WindowCenter': 100, 'WindowWidth': 201}
    path = dicom(pixels, PhotometricInterpretation='MONOCHROME1', **window)
    assert read_xray(path).tolist() == [[254, 127, 0]]


@pytest.mark.parametrize('photometric', ['MONOCHROME1', 'MONOCHROME2'])
@pytest.mark.parametrize('signed', [False, True])
@pytest.mark.parametrize('limit', [None, 30000])
def test_padding_does_not_count_and_is_black(dicom, reference, film12, photometric, signed, limit):
    pixels = film12.astype(np.int16 if signed else np.uint16)
    pixels[:5] = 30000 if limit else 32000
    pixels[5:10] = 32000
    pixels[0, 0] = 31000 if limit else 32000
    fields = {'PixelPaddingValue': 32000}
    if limit:
        fields['PixelPaddingRangeLimit'] = limit
    path = dicom(pixels, PhotometricInterpretation=photometric, **fields)
    film = read_xray(path)
    assert not film[:10].any()
    expected = reference.scaled(film12[10:])
    if photometric == 'MONOCHROME1':
        expected = 255 - expected
    assert reference.difference(film[10:], expected) <= 1


def test_padding_of_a_signed_film_written_as_unsigned(dicom, reference, film12):
    pixels = film12.astype(np.int16)
    pixels[:10] = -2000
    path = dicom(pixels)
    data = pydicom.dcmread(path)
    data.add_new('PixelPaddingValue', 'US', 65536 - 2000)
    data.save_as(path)
    film = read_xray(path)
    assert not film[:10].any()
    assert reference.difference(film[10:], reference.scaled(film12[10:])) <= 1


def test_padding_does_not_matter_to_a_window(dicom):
    pixels = np.array([[0, 100, 200, 999]], dtype=np.uint16)
    path = dicom(pixels, WindowCenter=100, WindowWidth=201, PixelPaddingValue=999)
    assert read_xray(path).tolist() == [[1, 128, 255, 0]]


def test_nothing_but_padding_is_black(dicom):
    path = dicom(np.full((3, 4), 7, np.uint16), PixelPaddingValue=7)
    assert not read_xray(path).any()


def test_enhanced_film_names_its_window_by_frame(dicom):
    def group(center):
        window, rescale, item = (pydicom.Dataset() for _ in range(3))
        window.WindowCenter, window.WindowWidth = center, 101
        rescale.RescaleSlope, rescale.RescaleIntercept, rescale.RescaleType = 1, 10, 'US'
        item.FrameVOILUTSequence = [window]
        item.PixelValueTransformationSequence = [rescale]
        return item

    frames = np.stack([np.arange(0, 400, dtype=np.uint16).reshape(20, 20)] * 2)
    groups = [group(100), group(300)]
    path = dicom(frames, NumberOfFrames=2, PerFrameFunctionalGroupsSequence=groups)
    for frame, center in enumerate((100, 300)):
        expected = np.clip((frames[0] + 10.0 - (center - 0.5)) / 100 + 0.5, 0, 1) * 255
        np.testing.assert_allclose(read_xray(path, frame=frame), expected, atol=0.5001)

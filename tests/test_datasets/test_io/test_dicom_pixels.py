# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Stored values: their bits, frames, colours, and headers that promise too much."""

import numpy as np
import pydicom
import pytest

from muscle_mm.datasets.io import XrayReadError, inspect_xray, read_xray
from muscle_mm.utils.errors import UserError


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.int16, np.uint32])
def test_integer_types(dicom, reference, film12, dtype):
    pixels = (film12 >> (4 if dtype == np.uint8 else 0)).astype(dtype)
    if dtype == np.int16:
        pixels -= 2048
    path = dicom(pixels)
    assert reference.difference(read_xray(path), reference.scaled(pixels)) <= 1
    assert inspect_xray(path).bits == 8 * pixels.itemsize


def test_unused_high_bits_are_masked(dicom, reference, film12):
    # An overlay, as old files keep it above the film.
    dirty = film12 | (np.arange(film12.size).reshape(film12.shape) % 16 << 12).astype(np.uint16)
    path = dicom(dirty, BitsStored=12, HighBit=11)
    assert reference.difference(read_xray(path), reference.scaled(film12)) <= 1
    info = inspect_xray(path)
    assert (info.height, info.width, info.bits, info.one_value) == (*film12.shape, 12, False)


def test_unused_high_bits_of_a_signed_film(dicom, reference, film12):
    signed = film12.astype(np.int16) - 2048
    path = dicom((signed.view(np.uint16) & 0x0FFF).view(np.int16), BitsStored=12, HighBit=11)
    assert reference.difference(read_xray(path), reference.scaled(signed)) <= 1


@pytest.mark.parametrize('signed', [False, True])
def test_film_in_the_upper_bits(dicom, reference, film12, signed):
    values = film12.astype(np.int16) - 2048 if signed else film12
    path = dicom((values << 4) | 5, BitsStored=12, HighBit=15)
    assert reference.difference(read_xray(path), reference.scaled(values)) <= 1


def test_colour_becomes_luminance(dicom, reference):
    colour = np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)
    fields = {'SamplesPerPixel': 3, 'PlanarConfiguration': 0, 'PhotometricInterpretation': 'RGB'}
    path = dicom(colour[..., 0], **fields, PixelData=colour.tobytes())
    assert reference.difference(read_xray(path), reference.luminance(colour)) <= 1


def test_palette_becomes_luminance(dicom, reference):
    indices = np.arange(12, dtype=np.uint8).reshape(3, 4)
    fields = {'PhotometricInterpretation': 'PALETTE COLOR'}
    tables = np.random.default_rng(0).integers(0, 256, (3, 12))
    for name, table in zip(('Red', 'Green', 'Blue'), tables, strict=True):
        fields[f'{name}PaletteColorLookupTableDescriptor'] = [12, 0, 8]
        fields[f'{name}PaletteColorLookupTableData'] = table.astype(np.uint8).tobytes()
    expected = reference.luminance(tables.T[indices])
    assert reference.difference(read_xray(dicom(indices, **fields)), expected) <= 1


def test_empty_high_bit_is_the_highest_of_those_stored(dicom, film12):
    expected = read_xray(dicom(film12, BitsStored=12, HighBit=11))
    found = read_xray(dicom(film12, name='empty.dcm', BitsStored=12, HighBit=None))
    np.testing.assert_array_equal(found, expected)


def test_damaged_high_bit_is_one_message(dicom, film12):
    with pytest.raises(XrayReadError, match='pixel data cannot be decoded'):
        read_xray(dicom(film12, BitsStored=12, HighBit=[11, 11]))


@pytest.mark.parametrize('name', ['film.dcm', 'IM000001'])
def test_file_without_a_preamble_says_so(dicom, film12, name):
    path = dicom(film12, name=name)
    whole = path.read_bytes()
    meta = pydicom.dcmread(path).file_meta
    for start in (132, 132 + 12 + meta.FileMetaInformationGroupLength):
        path.write_bytes(whole[start:])
        with pytest.raises(XrayReadError, match=r'no DICOM preamble .*dcmconv \+F'):
            read_xray(path)


def test_several_frames_need_a_name(dicom, reference, film12):
    frames = np.stack([film12, film12[::-1], film12 // 2])
    path = dicom(frames, NumberOfFrames=3)
    with pytest.raises(XrayReadError, match=r"3 frames, expected one.*=0\), or the key 'frame'"):
        read_xray(path)
    for frame in range(3):
        film = read_xray(path, frame=frame)
        assert reference.difference(film, reference.scaled(frames[frame])) <= 1
        assert inspect_xray(path, frame).height == 37
    for frame in (3, -1):
        with pytest.raises(XrayReadError, match=f'frame {frame} was asked for, it holds frames 0 '):
            read_xray(path, frame=frame)


@pytest.mark.parametrize('frame', [0, 1])
def test_the_frame_to_read_is_meant_for_files_that_hold_several(dicom, film12, frame):
    path = dicom(film12)
    np.testing.assert_array_equal(read_xray(path, frame=frame), read_xray(path))


def test_without_pixels(dicom, film12):
    with pytest.raises(XrayReadError, match='no pixel data'):
        read_xray(dicom(None))
    path = dicom(film12)
    data = pydicom.dcmread(path)
    del data.PixelData
    data.save_as(path)
    with pytest.raises(XrayReadError, match='no pixel data'):
        read_xray(path)


def test_too_little_pixel_data(dicom, film12):
    with pytest.raises(XrayReadError, match='cannot be decoded'):
        read_xray(dicom(film12, Rows=400))


@pytest.mark.parametrize('size', [{'Rows': 65535, 'Columns': 65535}, {'Rows': 0}])
def test_absurd_size(dicom, film12, size):
    with pytest.raises(XrayReadError, match=r'too large for a radiograph|46 x 0 pixels'):
        read_xray(dicom(film12, **size))


@pytest.mark.parametrize('share', [0.1, 0.3, 0.6, 0.99])
def test_truncated_file(dicom, film12, share):
    path = dicom(film12, PatientName='Nobody', ImageComments='x' * 3000)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(XrayReadError):
        inspect_xray(path)


def test_recognised_without_its_suffix(dicom):
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    assert read_xray(dicom(pixels, name='IM0001')).shape == (3, 4)


def test_missing_pydicom_is_named(dicom, film12, monkeypatch):
    path = dicom(film12)
    monkeypatch.setitem(__import__('sys').modules, 'pydicom', None)
    with pytest.raises(UserError, match=r'pip install pydicom python-gdcm') as caught:
        read_xray(path)
    assert not isinstance(caught.value, XrayReadError)


@pytest.mark.parametrize('dtype', [np.int8, np.int16])
def test_signed_colour_is_refused(dicom, dtype):
    pixels = np.zeros((3, 8, 9), dtype)
    fields = {'SamplesPerPixel': 3, 'PlanarConfiguration': 1, 'PhotometricInterpretation': 'RGB'}
    path = dicom(pixels, **fields)
    with pytest.raises(XrayReadError, match=f'cannot become grey: 3 channels of {dtype.__name__}'):
        read_xray(path)

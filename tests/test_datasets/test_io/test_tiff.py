# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from PIL import Image

from muscle_mm.datasets.io import XrayReadError, inspect_xray, read_xray

ALL = (0, 100)


@pytest.fixture
def written(tmp_path):
    def write(content):
        (tmp_path / 'film.tif').write_bytes(content)
        return tmp_path / 'film.tif'

    return write


def saved(pixels, path, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.mark.parametrize('compression', [None, 'tiff_lzw', 'tiff_adobe_deflate', 'packbits'])
def test_grey_of_8_bits_keeps_its_values(tmp_path, film12, compression):
    pixels = (film12 >> 4).astype(np.uint8)
    path = saved(pixels, tmp_path / 'x.tif', compression=compression)
    np.testing.assert_array_equal(read_xray(path), pixels)
    assert inspect_xray(path).bits == 8


@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'P', 'CMYK'])
def test_colour_becomes_luminance(tmp_path, reference, mode):
    colour = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    picture = Image.fromarray(colour).convert(mode)
    picture.save(tmp_path / 'x.tif')
    expected = reference.luminance(np.asarray(picture.convert('RGB')))
    assert reference.difference(read_xray(tmp_path / 'x.tif'), expected) <= 1


@pytest.mark.parametrize('big_endian', [False, True])
@pytest.mark.parametrize('compression', [None, 'tiff_lzw'])
@pytest.mark.parametrize('dtype', ['uint8', 'uint16', 'float32'])
def test_16_bits(written, tmp_path, reference, film12, big_endian, compression, dtype):
    pixels = film12 * np.uint16(15)
    if compression:
        path = saved(pixels, tmp_path / 'x.tif', compression=compression)
    else:
        stored = pixels.astype('>u2' if big_endian else '<u2').tobytes()
        path = written(reference.tiff(stored, pixels.shape, 16, big_endian=big_endian))
    read = read_xray(path, dtype=dtype)
    step = 1e-6 if dtype == 'float32' else 1
    assert reference.difference(read, reference.scaled(pixels, dtype=dtype)) <= step
    assert inspect_xray(path).bits == 16


def test_12_bits(written, reference, film12):
    pairs = film12.reshape(-1, 2).astype(np.uint32)
    packed = (pairs[:, 0] << 12 | pairs[:, 1]).astype('>u4').view(np.uint8).reshape(-1, 4)[:, 1:]
    path = written(reference.tiff(packed.tobytes(), film12.shape, 12))
    assert reference.difference(read_xray(path), reference.scaled(film12)) <= 1
    assert inspect_xray(path).bits == 12


@pytest.mark.parametrize('bits', [1, 2, 4, 8, 16])
def test_white_is_zero_is_inverted(written, reference, bits):
    pixels = np.arange(32).reshape(2, 16) % 2**bits
    if bits < 8:
        each = np.unpackbits(pixels.astype(np.uint8)[..., None], axis=-1)[..., 8 - bits :]
        stored = np.packbits(each.reshape(2, -1), axis=1).tobytes()
    else:
        stored = pixels.astype(f'<u{bits // 8}').tobytes()
    path = written(reference.tiff(stored, pixels.shape, bits, photometric=0))
    top = 31 if bits == 16 else 2**bits - 1
    assert reference.difference(read_xray(path, ALL), 255 - np.rint(pixels * 255 / top)) == 0


@pytest.mark.parametrize('name', ['<i2', '>i2', '<i4', '<u4', '<f4', '>f4'])
def test_signed_long_and_float(written, reference, film12, name):
    pixels = (film12.astype(float) * (40000 if name == '<u4' else 1) - 900).astype(name)
    kind = {'u': 1, 'i': 2, 'f': 3}[pixels.dtype.kind]
    stored, bits = pixels.tobytes(), 8 * pixels.itemsize
    path = written(reference.tiff(stored, pixels.shape, bits, big_endian='>' in name, tag_339=kind))
    read = read_xray(path, dtype='uint16')
    assert reference.difference(read, reference.scaled(pixels, dtype='uint16')) <= 1
    assert inspect_xray(path).bits == bits


def test_what_is_no_number_counts_as_the_lowest(tmp_path):
    pixels = np.array([[0.0, 0.5, 1.0, np.nan, np.inf]], dtype=np.float32)
    assert read_xray(saved(pixels, tmp_path / 'x.tif'), ALL).tolist() == [[0, 128, 255, 0, 0]]


def test_colour_of_16_bits_keeps_its_depth(written, reference):
    colour = np.random.default_rng(0).integers(0, 65536, (20, 30, 3)).astype(np.uint16)
    # The number of bits of each channel stands behind the pixels.
    content = reference.tiff(colour.tobytes(), (20, 30), 16, photometric=2, samples=3)
    read = read_xray(written(content), dtype='uint16')
    expected = reference.scaled(np.rint(reference.luminance(colour)), dtype='uint16')
    assert reference.difference(read, expected) <= 4


@pytest.mark.parametrize('turn', range(1, 9))
@pytest.mark.parametrize('compression', [None, 'tiff_lzw'])
def test_orientation_is_not_applied(tmp_path, turn, compression):
    pixels = np.arange(35, dtype=np.uint8).reshape(5, 7)
    path = saved(pixels, tmp_path / 'x.tif', tiffinfo={274: turn}, compression=compression)
    np.testing.assert_array_equal(read_xray(path), pixels)


def test_several_pages_need_a_frame(tmp_path, film12):
    pages = [Image.fromarray(page) for page in (film12, film12[::-1].copy(), film12 // 2)]
    pages[0].save(tmp_path / 'x.tif', save_all=True, append_images=pages[1:])
    with pytest.raises(XrayReadError, match='3 frames, expected one'):
        read_xray(tmp_path / 'x.tif')
    first, second = (read_xray(tmp_path / 'x.tif', frame=frame) for frame in (0, 1))
    np.testing.assert_array_equal(second, first[::-1])
    for frame in (3, -1):
        with pytest.raises(XrayReadError, match=f'frame {frame} was asked for, it holds frames 0 '):
            read_xray(tmp_path / 'x.tif', frame=frame)


@pytest.mark.parametrize('compression', [None, 'tiff_lzw', 'tiff_adobe_deflate'])
def test_truncated_file_is_found(tmp_path, film12, compression):
    path = saved(np.tile(film12, (4, 4)), tmp_path / 'x.tif', compression=compression)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(XrayReadError, match='damaged'):
        inspect_xray(path)


def test_kind_that_pillow_does_not_read(written, reference, film12):
    content = reference.tiff(film12.astype('<f8').tobytes(), film12.shape, 64, tag_339=3)
    with pytest.raises(XrayReadError, match='of a kind that Pillow does not read'):
        read_xray(written(content))

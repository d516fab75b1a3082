# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from PIL import Image

from muscle_mm.datasets.io import XrayReadError, inspect_xray, read_xray

RAMP = np.arange(6 * 5, dtype=np.uint8).reshape(6, 5) * 8


def saved(image, path, **options):
    image.save(path, **options)
    return path


@pytest.fixture
def written(tmp_path):
    def write(content):
        (tmp_path / 'film.png').write_bytes(content)
        return tmp_path / 'film.png'

    return write


def test_grey_of_8_bits_keeps_its_values(tmp_path):
    read = read_xray(saved(Image.fromarray(RAMP), tmp_path / 'x.png'))
    assert read.dtype == np.uint8
    assert read.flags.c_contiguous and read.flags.writeable
    np.testing.assert_array_equal(read, RAMP)


@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'LA', 'P'])
def test_grey_stored_as_colour_or_palette_keeps_its_values(tmp_path, mode):
    path = saved(Image.fromarray(RAMP).convert(mode), tmp_path / 'x.png')
    np.testing.assert_array_equal(read_xray(path), RAMP)


@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'P'])
def test_colour_becomes_luminance(tmp_path, reference, mode):
    colour = np.random.default_rng(0).integers(0, 256, (20, 30, 4), np.uint8)
    picture = Image.fromarray(colour).convert(mode)
    expected = reference.luminance(np.asarray(picture.convert('RGB')))
    read = read_xray(saved(picture, tmp_path / 'x.png'))
    assert reference.difference(read, expected) <= 1
    np.testing.assert_allclose(read, np.asarray(picture.convert('L')), atol=1)


@pytest.mark.parametrize('bits', [1, 2, 4])
def test_few_bits_fill_the_range(written, reference, bits):
    levels = np.arange(16, dtype=np.uint8).reshape(2, 8) % 2**bits
    rows = np.unpackbits(levels[..., None], axis=-1)[..., 8 - bits :].reshape(2, -1)
    path = written(reference.png(np.packbits(rows, axis=1), (2, 8), bits, 0))
    np.testing.assert_array_equal(read_xray(path), levels * (255 // (2**bits - 1)))
    assert inspect_xray(path).bits == bits


@pytest.mark.parametrize('dtype', ['uint8', 'uint16', 'float32'])
def test_16_bits_are_scaled_between_their_percentiles(tmp_path, reference, dtype):
    pixels = np.linspace(1000, 5000, 2000).astype(np.uint16).reshape(40, 50)
    pixels[0, 0] = 65535  # one hot pixel must not decide the contrast
    path = saved(Image.fromarray(pixels), tmp_path / 'x.png')
    read = read_xray(path, dtype=dtype)
    assert read.dtype == dtype
    step = 1e-6 if dtype == 'float32' else 1
    assert reference.difference(read, reference.scaled(pixels, dtype=dtype)) <= step
    if dtype != 'uint8':
        assert len(np.unique(read)) > 1900  # no step of 8 bits between


def test_percentiles_can_be_chosen(tmp_path):
    pixels = np.array([[0, 1000, 2000, 4000]], dtype=np.uint16)
    path = saved(Image.fromarray(pixels), tmp_path / 'x.png')
    assert read_xray(path, percentiles=(0, 100)).tolist() == [[0, 64, 128, 255]]


@pytest.mark.parametrize(('channels', 'colour_type'), [(2, 4), (3, 2), (4, 6)])
def test_colour_and_alpha_of_16_bits_keep_their_depth(written, reference, channels, colour_type):
    colour = np.random.default_rng(1).integers(0, 65536, (20, 30, channels)).astype('>u2')
    path = written(reference.png([row.tobytes() for row in colour], (20, 30), 16, colour_type))
    grey = colour[..., 0] if channels == 2 else np.rint(reference.luminance(colour))
    read = read_xray(path, dtype='uint16')
    assert reference.difference(read, reference.scaled(grey, dtype='uint16')) <= 4
    assert inspect_xray(path).bits == 16


@pytest.mark.parametrize(
    ('name', 'content'),
    [
        (b'gAMA', (45455).to_bytes(4, 'big')),
        (b'tRNS', b'\0\1'),
        (b'sBIT', b'\4'),
        (b'tEXt', b'IDAT\0acTL is no animation here, nor IDAT data'),
    ],
)
def test_remarks_beside_the_pixels_change_nothing(written, reference, name, content):
    extra = reference.png_chunk(name, content)
    path = written(reference.png([row.tobytes() for row in RAMP], RAMP.shape, 8, 0, extra))
    np.testing.assert_array_equal(read_xray(path), RAMP)


def test_8_bits_as_deeper_types(tmp_path):
    path = saved(Image.fromarray(np.array([[0, 1, 255]], np.uint8)), tmp_path / 'x.png')
    assert read_xray(path, dtype='uint16').tolist() == [[0, 257, 65535]]
    np.testing.assert_allclose(read_xray(path, dtype='float32'), [[0, 1 / 255, 1]], rtol=1e-6)


def test_animation_needs_a_frame(tmp_path):
    frames = [Image.fromarray(RAMP), Image.fromarray(RAMP[::-1].copy())]
    path = saved(frames[0], tmp_path / 'x.png', save_all=True, append_images=frames[1:])
    with pytest.raises(XrayReadError, match=r'2 frames, expected one.*LoadXray\(frame=0\)'):
        read_xray(path)
    np.testing.assert_array_equal(read_xray(path, frame=1), RAMP[::-1])
    with pytest.raises(XrayReadError, match='frame 2 was asked for, it holds frames 0 to 1'):
        read_xray(path, frame=2)


def test_one_wrong_bit_is_found(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    path = saved(Image.fromarray(noise), tmp_path / 'x.png')
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    with pytest.raises(XrayReadError, match='damaged or truncated'):
        inspect_xray(path)


def test_wrong_check_sum_alone_is_found(tmp_path):
    path = saved(Image.fromarray(RAMP), tmp_path / 'x.png')
    content = bytearray(path.read_bytes())
    content[content.rfind(b'IEND') - 5] ^= 1  # the last byte of the pixels' check sum
    path.write_bytes(content)
    with pytest.raises(XrayReadError, match='check sums do not fit'):
        read_xray(path)


def test_suffix_does_not_matter(tmp_path):
    path = saved(Image.fromarray(RAMP), tmp_path / 'x.jpeg', format='PNG')
    np.testing.assert_array_equal(read_xray(path), RAMP)

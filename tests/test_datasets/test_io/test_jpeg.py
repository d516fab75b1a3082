# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import io

import numpy as np
import pytest
from PIL import Image

from muscle_mm.datasets.io import XrayReadError, inspect_xray, read_xray


@pytest.fixture
def chest():
    """A smooth colour picture, 93 x 130, whose channels differ."""
    down, across = np.mgrid[0:93, 0:130]
    waves = [np.sin(down / (9 + i)) * np.cos(across / (11 + 2 * i)) for i in range(3)]
    return Image.fromarray((128 + 90 * np.stack(waves, -1)).astype(np.uint8))


def saved(picture, path, **options):
    picture.save(path, **{'quality': 95, **options})
    return path


@pytest.mark.parametrize('options', [{}, {'progressive': True}, {'restart_marker_blocks': 2}])
def test_grey_as_pillow_reads_it(tmp_path, chest, options):
    path = saved(chest.convert('L'), tmp_path / 'x.jpg', **options)
    expected = np.asarray(Image.open(path)).astype(int)
    read = read_xray(path)
    assert read.flags.writeable and abs(read - expected).max() <= 1
    assert inspect_xray(path).bits == 8


@pytest.mark.parametrize('subsampling', [0, 2])
def test_colour_becomes_luminance(tmp_path, reference, chest, subsampling):
    path = saved(chest, tmp_path / 'x.jpg', subsampling=subsampling)
    with Image.open(path) as picture:
        picture.draft('L', None)
        assert reference.difference(read_xray(path), np.asarray(picture)) <= 1
    assert reference.difference(read_xray(path), reference.luminance(np.asarray(chest))) <= 6


def test_rgb_without_a_colour_transform(tmp_path, reference, chest):
    path = saved(chest, tmp_path / 'x.jpg', keep_rgb=True, quality=100)
    assert reference.difference(read_xray(path), reference.luminance(np.asarray(chest))) <= 3


@pytest.mark.parametrize('min_side', [None, 40])
def test_cmyk_has_black_where_the_ink_is(tmp_path, min_side):
    inks = np.zeros((93, 130, 4), np.uint8)
    inks[:, 60:, 3] = 200
    path = saved(Image.fromarray(inks, 'CMYK'), tmp_path / 'x.jpg')
    film = read_xray(path, min_side=min_side)
    assert film.shape == ((93, 130) if min_side is None else (47, 65))
    left, right = film[:, : film.shape[1] // 3], film[:, -film.shape[1] // 3 :]
    assert left.min() >= 253 and abs(right.astype(int) - 55).max() <= 3


@pytest.mark.parametrize(
    ('min_side', 'shape'),
    [
        (None, (93, 130)),
        (93, (93, 130)),
        (48, (93, 130)),
        (47, (47, 65)),
        (24, (24, 33)),
        (1, (12, 17)),
    ],
)
@pytest.mark.parametrize('mode', ['L', 'RGB'])
def test_reduced_scale_covers_the_shorter_side(tmp_path, reference, chest, mode, min_side, shape):
    path = saved(chest.convert(mode), tmp_path / 'x.jpg')
    film = read_xray(path, min_side=min_side)
    assert film.shape == shape
    with Image.open(path) as picture:
        scale = round(130 / shape[1])
        picture.draft('L', (130 // scale, 93 // scale))
        assert reference.difference(film, np.asarray(picture)) <= 1
    # The same film, seen from further away.
    small = chest.convert('L').resize(shape[::-1], Image.Resampling.BOX)
    assert np.corrcoef(film.ravel(), np.asarray(small).ravel())[0, 1] > 0.95


def test_other_formats_keep_their_size(tmp_path, chest):
    chest.save(tmp_path / 'x.png')
    assert read_xray(tmp_path / 'x.png', min_side=10).shape == (93, 130)


@pytest.mark.parametrize('min_side', [None, 20])
def test_exif_rotation_is_not_applied(tmp_path, chest, min_side):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(chest.convert('L'), tmp_path / 'x.jpg', exif=exif)
    film = read_xray(path, min_side=min_side)
    assert film.shape == ((93, 130) if min_side is None else (24, 33))


@pytest.mark.parametrize('lost', [2, 3, 40, 1500])
@pytest.mark.parametrize('options', [{}, {'progressive': True}, {'thumbnail': True}])
@pytest.mark.parametrize('mode', ['L', 'CMYK'])
def test_truncated_file_is_found(tmp_path, chest, mode, options, lost):
    options = dict(options)
    if options.pop('thumbnail', False):
        # A small picture with an end marker of its own, inside the header of the large one.
        small = io.BytesIO()
        chest.resize((8, 8)).save(small, 'JPEG')
        options['exif'] = b'Exif\0\0' + small.getvalue()
    path = saved(chest.convert(mode), tmp_path / 'x.jpg', **options)
    read_xray(path)
    path.write_bytes(path.read_bytes()[:-lost])
    for min_side in (None, 20):
        with pytest.raises(XrayReadError, match='damaged or truncated'):
            read_xray(path, min_side=min_side)


def test_zeros_for_the_second_half_are_found(tmp_path, chest):
    path = saved(chest.convert('L'), tmp_path / 'x.jpg')
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(content[:half] + bytes(len(content) - half))
    with pytest.raises(XrayReadError, match='no end marker'):
        inspect_xray(path)


def test_bytes_behind_the_end_do_no_harm(tmp_path, chest):
    path = saved(chest.convert('L'), tmp_path / 'x.jpg')
    before = read_xray(path)
    path.write_bytes(path.read_bytes() + b'\0' * 100)
    np.testing.assert_array_equal(read_xray(path), before)


def test_jpeg_of_12_bits_is_named(tmp_path, chest):
    path = saved(chest.convert('L'), tmp_path / 'x.jpg')
    content = bytearray(path.read_bytes())
    content[content.find(b'\xff\xc0') + 4] = 12
    path.write_bytes(content)
    with pytest.raises(XrayReadError, match='a JPEG of 12 bits'):
        read_xray(path)


def test_a_cameras_previews_are_no_frames(tmp_path, chest):
    grey = chest.convert('L')
    path = saved(grey, tmp_path / 'x.jpg', format='MPO', save_all=True, append_images=[grey])
    assert read_xray(path).shape == (93, 130)
    np.testing.assert_array_equal(read_xray(path, frame=1), read_xray(path))

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pickle
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image
from torch._utils import ExceptionWrapper

from muscle_mm.datasets.io import MAX_PIXELS, XrayReadError, inspect_xray, read_xray

RAMP = np.arange(6 * 5, dtype=np.uint8).reshape(6, 5) * 8


def png_of_size(path, width, height):
    """Write a PNG whose header promises a size that it does not hold."""
    Image.fromarray(RAMP).save(path, format='PNG')
    content = path.read_bytes()
    header = b'IHDR' + struct.pack('>II', width, height) + content[24:29]
    path.write_bytes(content[:12] + header + struct.pack('>I', zlib.crc32(header)) + content[33:])


def jpeg_of_size(path, width, height):
    Image.fromarray(RAMP).save(path, format='JPEG')
    content = bytearray(path.read_bytes())
    struct.pack_into('>HH', content, content.find(b'\xff\xc0') + 5, height, width)
    path.write_bytes(content)


def broken(kind, tmp_path):
    path = tmp_path / 'film.png'
    if kind == 'missing':
        return path
    if kind == 'folder':
        path.mkdir()
        return path
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)).save(path)
    content = path.read_bytes()
    if kind == 'zero bytes':
        path.write_bytes(b'')
    elif kind == 'truncated':
        path.write_bytes(content[: len(content) // 2])
    elif kind == 'signature alone':
        path.write_bytes(content[:8])
    elif kind == 'text':
        path.write_bytes(b'this is no picture')
    elif kind == 'gif':
        Image.fromarray(RAMP).save(path, format='GIF')
    elif kind == 'png bomb':
        png_of_size(path, 400_000, 400_000)
    elif kind == 'jpeg bomb':
        jpeg_of_size(path, 65_535, 65_535)
    elif kind == 'no rows':
        png_of_size(path, 5, 0)
    elif kind == 'tiff bomb':
        Image.new('1', (12_000, 12_000)).save(path, format='TIFF', compression='group4')
    elif kind == 'text.dcm':
        path = path.with_suffix('.dcm')
        path.write_bytes(b'this is no film')
    return path


@pytest.mark.parametrize(
    ('kind', 'reason'),
    [
        ('missing', 'does not exist'),
        ('folder', 'is a folder'),
        ('zero bytes', 'empty'),
        ('truncated', 'damaged or truncated'),
        ('signature alone', 'beginning is damaged'),
        ('text', 'not a PNG, JPEG, TIFF or DICOM'),
        ('gif', 'not a PNG, JPEG, TIFF or DICOM'),
        ('png bomb', 'too large for a radiograph.*400000 x 400000'),
        ('jpeg bomb', 'too large for a radiograph.*the limit is 134 million'),
        ('tiff bomb', 'too large for a radiograph'),
        ('no rows', 'its header says 5 x 0 pixels'),
        ('text.dcm', 'not a DICOM file'),
    ],
)
def test_path_and_reason(tmp_path, kind, reason):
    path = broken(kind, tmp_path)
    for read in (read_xray, inspect_xray):
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            with pytest.raises(XrayReadError, match=reason) as caught:
                read(path)
        assert str(path) in str(caught.value)
        assert caught.value.path == str(path)


def test_no_permission(tmp_path, monkeypatch):
    def refuse(*args, **options):
        raise PermissionError(13, 'Permission denied')

    path = broken('whole', tmp_path)
    monkeypatch.setattr('builtins.open', refuse)
    with pytest.raises(XrayReadError, match='Permission denied'):
        read_xray(path)


def test_the_largest_film_passes_pillows_own_limit_without_a_warning(tmp_path):
    # 100 million pixels, as a TIFF of one bit; Pillow warns from 89 million.
    Image.new('1', (10_000, 10_000)).save(tmp_path / 'x.tif', compression='group4')
    assert MAX_PIXELS > 100e6
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert read_xray(tmp_path / 'x.tif').shape == (10_000, 10_000)


def test_error_survives_the_way_out_of_a_process():
    error = pickle.loads(pickle.dumps(XrayReadError('a.png', 'it is empty')))
    assert (error.path, error.reason) == ('a.png', 'it is empty')
    assert str(error) == 'cannot read the radiograph a.png: it is empty'


def test_error_of_a_data_loaders_worker_is_its_message_alone():
    try:
        raise XrayReadError('a.png', 'it is empty')
    except XrayReadError:
        wrapped = ExceptionWrapper(where='in DataLoader worker process 0')
    with pytest.raises(XrayReadError) as raised:
        wrapped.reraise()
    assert str(raised.value) == 'cannot read the radiograph a.png: it is empty'


def test_description_of_a_film(tmp_path):
    Image.fromarray(RAMP).save(tmp_path / 'x.png')
    info = inspect_xray(str(tmp_path / 'x.png'))
    assert (info.height, info.width, info.bits, info.one_value) == (6, 5, 8, False)


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_film_of_one_value_is_told(tmp_path, dtype):
    Image.fromarray(np.full((3, 4), 77, dtype)).save(tmp_path / 'x.png')
    assert inspect_xray(tmp_path / 'x.png').one_value

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Films to write, and independent readings to compare with, written with numpy alone."""

import struct
import zlib
from types import SimpleNamespace

import numpy as np
import pytest

TOPS = {'uint8': 255, 'uint16': 65535, 'float32': 1}


def scaled(pixels, percentiles=(0.5, 99.5), dtype='uint8'):
    """Scale between two percentiles."""
    low, high = np.percentile(pixels, percentiles)
    shades = np.clip((pixels.astype(float) - low) / (high - low), 0, 1) * TOPS[dtype]
    return shades if dtype == 'float32' else np.rint(shades)


def luminance(colour):
    """ITU-R 601."""
    return colour[..., :3].astype(float) @ (0.299, 0.587, 0.114)


def difference(film, expected):
    """The largest difference between two films of one shape."""
    assert film.shape == np.shape(expected)
    return np.abs(film.astype(float) - expected).max()


def png_chunk(name, content):
    """A chunk with its check sum."""
    check = struct.pack('>I', zlib.crc32(name + content))
    return struct.pack('>I', len(content)) + name + content + check


def png(rows, size, bits, colour_type, extra=b''):
    """A PNG file of any depth and colour type, from the bytes of its rows."""
    height, width = size
    header = struct.pack('>IIBBBBB', width, height, bits, colour_type, 0, 0, 0)
    data = zlib.compress(b''.join(b'\0' + bytes(row) for row in rows))
    return (
        b'\x89PNG\r\n\x1a\n'
        + png_chunk(b'IHDR', header)
        + extra
        + png_chunk(b'IDAT', data)
        + png_chunk(b'IEND', b'')
    )


def tiff(data, size, bits, *, photometric=1, big_endian=False, samples=1, **more):
    """An uncompressed TIFF file; further tags by number, as short integers."""
    order = '>' if big_endian else '<'
    tags = {256: size[1], 257: size[0], 258: bits, 259: 1, 262: photometric, 273: 8}
    tags |= {277: samples, 278: size[0], 279: len(data)}
    tags |= {int(number.removeprefix('tag_')): value for number, value in more.items()}
    directory = struct.pack(order + 'H', len(tags))
    for number, value in sorted(tags.items()):
        if number in (256, 257, 273, 278, 279):
            directory += struct.pack(order + 'HHII', number, 4, 1, value)
        else:
            directory += struct.pack(order + 'HHIHH', number, 3, 1, value, 0)
    data += b'\0' * (len(data) % 2)
    head = (b'MM\0*' if big_endian else b'II*\0') + struct.pack(order + 'I', 8 + len(data))
    return head + data + directory + b'\0\0\0\0'


@pytest.fixture(scope='session')
def reference():
    """The functions above."""
    functions = (scaled, luminance, difference, png_chunk, png, tiff)
    return SimpleNamespace(**{function.__name__: function for function in functions})


@pytest.fixture(scope='session')
def film12():
    """A smooth film of 12 bits with a little noise, of an odd number of rows."""
    down, across = np.mgrid[0:37, 0:46]
    noise = np.random.default_rng(0).integers(0, 60, down.shape)
    return (2000 + 1500 * np.sin(down / 9) * np.cos(across / 11) + noise).astype(np.uint16)

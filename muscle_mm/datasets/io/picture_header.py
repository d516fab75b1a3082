# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Size and depth of a PNG or JPEG file, read before it is decoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass

PNG_SIGNATURE = b'\x89PNG\r\n\x1a\n'
JPEG_SIGNATURE = b'\xff\xd8\xff'

# Markers without a length behind them: restart, start and end of image, and one for temporary use.
_JPEG_ALONE = {0x01, *range(0xD0, 0xDA)}
# Start of frame, of any kind; the three left out define tables.
_JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SCAN = 0xDA


@dataclass(frozen=True)
class PictureHeader:
    """What the header of a picture promises.

    Attributes:
        height (int): Rows.
        width (int): Columns.
        bits (int): Bits of a grey value.
        channels (int): Colour channels of a JPEG; 1 for a PNG, where nobody asks.
        start (int): Where the pixel data begins.
    """

    height: int
    width: int
    bits: int
    channels: int
    start: int


def read_png_header(data: bytes) -> PictureHeader | None:
    """Read the header of a PNG file.

    Args:
        data (bytes): The file.

    Returns:
        PictureHeader | None: None if it is damaged.
    """
    start = data.find(b'IDAT', 33)
    if data[12:16] != b'IHDR' or start < 0:
        return None
    width, height, bits = struct.unpack_from('>IIB', data, 16)
    return PictureHeader(height, width, bits, 1, start)


def read_jpeg_header(data: bytes) -> PictureHeader | None:
    """Read the header of a JPEG file: its segments as far as the first scan.

    Args:
        data (bytes): The file.

    Returns:
        PictureHeader | None: None if it is damaged.
    """
    position, frame = 2, None
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # padding
            position += 1
        elif marker in _JPEG_ALONE:
            position += 2
        elif marker == _JPEG_SCAN:
            return frame and PictureHeader(*frame, start=position)
        else:
            if marker in _JPEG_FRAMES and position + 10 <= len(data):
                bits, height, width, channels = struct.unpack_from('>BHHB', data, position + 4)
                frame = (height, width, bits, channels)
            position += 2 + int.from_bytes(data[position + 2 : position + 4], 'big')
    return None

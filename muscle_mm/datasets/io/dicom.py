# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Decode one frame of a DICOM file through pydicom and its plug-ins."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np

from muscle_mm.datasets.io.errors import XrayReadError
from muscle_mm.datasets.io.extended_jpeg import read_extended_jpeg
from muscle_mm.datasets.io.limits import MAX_PIXELS, check_size, choose_frame
from muscle_mm.utils.errors import UserError

_DEFLATED = '1.2.840.10008.1.2.1.99'
_EXTENDED_JPEG = '1.2.840.10008.1.2.4.51'

# Room for a header and the largest image of 16 bits, or of 8 bits in three colours.
_MOST_INFLATED_BYTES = 4 * MAX_PIXELS


def read_dicom(path: Path, file: BinaryIO, frame: int | None) -> tuple[np.ndarray, Any]:
    """Decode one frame of a DICOM file.

    Args:
        path (Path): The file, to name it.
        file (BinaryIO): The file, open anywhere.
        frame (int, optional): The frame of a file that holds several, counted from 0.

    Returns:
        tuple[np.ndarray, pydicom.Dataset]: The stored values (H, W), integers, with unused bits
        masked and colour turned into luminance; and the header, in which what holds for this frame
        only has been moved to where a file of one frame has it.

    Raises:
        XrayReadError: If the file is damaged, too large, compressed in a way that nothing here
            knows, or holds several frames and none was named.
        UserError: If a package is missing.
    """
    try:
        import pydicom
        from pydicom.errors import InvalidDicomError
    except ImportError as error:
        raise UserError(
            f'reading the DICOM file {path} needs the package pydicom >= 3 ({error}). Install it: '
            '`pip install pydicom python-gdcm`.'
        ) from error

    file.seek(0)
    try:
        _check_inflated_size(path, file)
        header = pydicom.dcmread(file, stop_before_pixels=True)
        syntax = str(header.file_meta.get('TransferSyntaxUID', ''))
        frames = int(header.get('NumberOfFrames') or 1)
        height, width = int(header.get('Rows') or 0), int(header.get('Columns') or 0)
    except XrayReadError:
        raise
    except InvalidDicomError:
        file.seek(0)
        if lacks_preamble(file.read(4)):
            raise XrayReadError(
                path,
                'it has no DICOM preamble (128 bytes, then DICM), as in old archives; rewrite it, '
                'for example with "dcmconv +F old.dcm new.dcm"',
            ) from None
        raise XrayReadError(path, 'not a DICOM file, whatever its name says') from None
    except Exception as error:
        raise XrayReadError(path, f'damaged DICOM header ({error})') from error
    if 'Rows' not in header:
        raise XrayReadError(path, 'the DICOM file has no pixel data')
    check_size(path, height, width)
    frame = choose_frame(path, frames, frame)
    try:
        _use_functional_groups(header, frame)
    except Exception as error:
        raise XrayReadError(path, f'damaged DICOM header ({error})') from error
    pixels = _decode(path, file, header, syntax, frame)
    if pixels.shape[:2] != (height, width):
        raise XrayReadError(
            path,
            f'its DICOM header says {width} x {height} pixels, the pixel data has '
            f'{pixels.shape[1]} x {pixels.shape[0]}',
        )
    if pixels.ndim == 3:
        # pydicom gives colour as RGB; a secondary capture of a film is grey all the same.
        try:
            pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        except cv2.error as error:
            raise XrayReadError(
                path,
                f'its DICOM colours cannot become grey: {pixels.shape[2]} channels of '
                f'{pixels.dtype}, expected 3 of uint8 or uint16',
            ) from error
    return pixels, header


def has_preamble(head: bytes) -> bool:
    """Tell a DICOM file by what it begins with.

    Args:
        head (bytes): The first 132 bytes of a file, or all of a shorter one.

    Returns:
        bool: Whether the preamble ends as that of DICOM.
    """
    return head[128:132] == b'DICM'


def lacks_preamble(head: bytes) -> bool:
    """Tell a DICOM data set that begins without the preamble.

    Args:
        head (bytes): The first bytes of a file, at least four.

    Returns:
        bool: Whether they are the tag of a first element: group 2 or 8, then a low number.
    """
    return head[:2] in (b'\2\0', b'\x08\0') and head[3:4] == b'\0'


def _decode(path: Path, file: BinaryIO, header: Any, syntax: str, frame: int) -> np.ndarray:
    """Decode the stored values of one frame."""
    import pydicom
    from pydicom.pixels import apply_color_lut, pixel_array

    plugin = _choose_plugin(path, syntax)
    try:
        bits = int(header.get('BitsStored') or 0)
        # The highest bit lies elsewhere in old files only; some archives leave the element empty.
        high_bit = header.get('HighBit')
        high_bit = bits - 1 if high_bit is None else int(high_bit)
        shifted = high_bit != bits - 1
        if syntax == _EXTENDED_JPEG and bits > 8:
            return read_extended_jpeg(path, header, frame)
        file.seek(0)
        # From a file pydicom reads no more than the frame, but cannot if it is deflated.
        source = pydicom.dcmread(file) if syntax == _DEFLATED else file
        pixels = pixel_array(
            source, index=frame, decoding_plugin=plugin, correct_unused_bits=not shifted
        )
        if shifted:
            above = 8 * pixels.itemsize - 1 - high_bit
            pixels = (pixels << above) >> (8 * pixels.itemsize - bits)
        if header.get('PhotometricInterpretation') == 'PALETTE COLOR':
            pixels = apply_color_lut(pixels, header)
    except UserError:
        raise
    except AttributeError as error:
        # What pydicom raises where an element is missing.
        raise XrayReadError(path, f'the DICOM file has no pixel data ({error})') from error
    except Exception as error:
        raise XrayReadError(path, f'the DICOM pixel data cannot be decoded ({error})') from error
    return pixels


def _choose_plugin(path: Path, syntax: str) -> str:
    """Choose what decodes a compression: GDCM where it can, or else what pydicom chooses.

    GDCM refuses data that was cut off. Others that may be installed fill up the picture, and
    pydicom would try them next.
    """
    from pydicom.pixels import get_decoder
    from pydicom.uid import UID

    try:
        decoder = get_decoder(UID(syntax))
    except NotImplementedError:
        raise XrayReadError(
            path, f'its DICOM transfer syntax is not supported: {UID(syntax).name or "none named"}'
        ) from None
    if not decoder.is_available:
        missing = decoder.missing_dependencies
        package = 'python-gdcm' if 'gdcm' in ' '.join(missing) else 'pylibjpeg-openjpeg'
        raise UserError(
            f'the DICOM file {path} is compressed as {UID(syntax).name!r}. Decoding it needs the '
            f'package {package}. Install it: `pip install {package}`.'
        )
    return 'gdcm' if 'gdcm' in decoder.available_plugins else ''


def _use_functional_groups(header: Any, frame: int) -> None:
    """Move rescale and window of an enhanced multi-frame file to where others have them."""
    groups = [*(header.get('SharedFunctionalGroupsSequence') or [])[:1]]
    groups += [*(header.get('PerFrameFunctionalGroupsSequence') or [])[frame : frame + 1]]
    for group in groups:
        for name in ('PixelValueTransformationSequence', 'FrameVOILUTSequence'):
            for item in (group.get(name) or [])[:1]:
                header.update(item)


def _check_inflated_size(path: Path, file: BinaryIO) -> None:
    """Refuse a deflated file that would fill the memory."""
    from pydicom.filereader import read_file_meta_info

    start = file.read(1024)
    file.seek(0)
    if _DEFLATED.encode() not in start:
        return
    meta = read_file_meta_info(str(path))
    if meta.get('TransferSyntaxUID') != _DEFLATED:
        return
    # Behind the preamble, the four letters, and the group with the length of itself.
    file.seek(128 + 4 + 12 + meta.FileMetaInformationGroupLength)
    inflate, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    while not inflate.eof and (data := inflate.unconsumed_tail or file.read(2**16)):
        size += len(inflate.decompress(data, 2**24))
        if size > _MOST_INFLATED_BYTES:
            raise XrayReadError(path, f'too large for a radiograph: {size} bytes and more')
    file.seek(0)

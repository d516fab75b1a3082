# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The way from the stored values of a DICOM film to what a reading room shows."""

from __future__ import annotations

from typing import Any

import numpy as np

from muscle_mm.datasets.io.grey_values import Contrast, GreyDtype, grey_range, rescale, to_dtype


def dicom_contrast(header: Any, percentiles: tuple[float, float], dtype: GreyDtype) -> Contrast:
    """Build the function from stored values to grey values that a DICOM header describes.

    In the order of DICOM PS3.4 N.2: the modality LUT or rescale (through pydicom); the first VOI
    LUT, or else the first window, or else the percentiles; MONOCHROME1 is inverted. A VOI LUT or
    window that would leave a film of one shade is not used.

    Pixels of the padding value or range are no part of the film: they do not count for the
    percentiles, and become black.

    Args:
        header (pydicom.Dataset): The header.
        percentiles (tuple[float, float]): Lower and upper percentile.
        dtype (str): 'uint8', 'uint16' or 'float32'.

    Returns:
        Contrast: The function.
    """
    from pydicom.pixels import apply_modality_lut

    _drop_empty(header, 'RescaleSlope', 'RescaleIntercept', 'ModalityLUTSequence')
    inverted = header.get('PhotometricInterpretation') == 'MONOCHROME1'

    def contrast(stored: np.ndarray, counts: np.ndarray | None) -> np.ndarray:
        film = ~_is_padding(stored, header)
        present = film if counts is None else film & (counts > 0)
        if not present.any():
            return np.zeros(stored.shape, dtype=dtype)
        values = apply_modality_lut(stored, header)
        shades = _apply_voi(values, header)
        if shades is None or np.ptp(to_dtype(shades[present], dtype)) == 0:
            weights = None if counts is None else counts[present]
            shades = rescale(values, *grey_range(values[present], percentiles, weights))
        shades = np.clip(shades, 0, 1)
        return to_dtype(np.where(film, 1 - shades if inverted else shades, 0), dtype)

    return contrast


def _apply_voi(values: np.ndarray, header: Any) -> np.ndarray | None:
    """Apply the first VOI LUT, or else the first window.

    Args:
        values (np.ndarray): After the modality LUT.
        header (pydicom.Dataset): The header.

    Returns:
        np.ndarray | None: Shades from 0 to 1, or None if the header has neither.
    """
    for item in (header.get('VOILUTSequence') or [])[:1]:
        if item.get('LUTDescriptor') and item.get('LUTData'):
            return _look_up(values, item, header)
    center, width = _first(header.get('WindowCenter')), _first(header.get('WindowWidth'))
    if center is None or width is None:
        return None
    # DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3.
    function = header.get('VOILUTFunction') or 'LINEAR'
    if function == 'LINEAR' and width > 1:
        return np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1)
    if function == 'LINEAR_EXACT' and width > 0:
        return np.clip((values - center) / width + 0.5, 0, 1)
    if function == 'SIGMOID' and width > 0:
        with np.errstate(over='ignore'):
            return 1 / (1 + np.exp(-4 * (values - center) / width))
    return None


def _look_up(values: np.ndarray, item: Any, header: Any) -> np.ndarray:
    """Apply a VOI LUT. Its own lowest and highest entry are black and white.

    Many files name more bits for the entries than they use, so that what the standard calls white
    would be grey.
    """
    entries, first, _ = item.LUTDescriptor
    entries = entries or 2**16
    data = item.LUTData
    if isinstance(data, bytes):
        little = header.file_meta.TransferSyntaxUID.is_little_endian
        words = '<u2' if little else '>u2'
        table = np.frombuffer(data, words if len(data) >= 2 * entries else np.uint8)
    else:
        table = np.asarray(data)
    table = table[:entries].astype(np.float64)
    if first >= 2**15 and values.min() < 0:
        # Read as unsigned, because the file does not say.
        first -= 2**16
    # Whatever lies outside the table has the value of its nearer end.
    places = np.clip(np.rint(values) - first, 0, len(table) - 1).astype(np.int64)
    return rescale(table, table.min(), table.max())[places]


def _is_padding(stored: np.ndarray, header: Any) -> np.ndarray:
    """Tell which stored values stand for the absence of a film."""
    value = header.get('PixelPaddingValue')
    if value is None:
        return np.zeros(stored.shape, dtype=bool)
    limit = header.get('PixelPaddingRangeLimit')
    ends = [int(value), int(value if limit is None else limit)]
    if header.get('PixelRepresentation') == 1:
        # Often written as unsigned all the same.
        ends = [end - 2**16 if end >= 2**15 else end for end in ends]
    return (stored >= min(ends)) & (stored <= max(ends))


def _drop_empty(header: Any, *names: str) -> None:
    """Remove elements that are there without a value, as some archives leave them."""
    for name in names:
        if name in header and not header[name].value and header[name].value != 0:
            del header[name]


def _first(value: Any) -> float | None:
    """Take the first of one or several numbers."""
    if value is None or value == '':
        return None
    return float(value[0] if hasattr(value, '__len__') and not isinstance(value, str) else value)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Read radiographs from files."""

from .errors import XrayReadError
from .grey_values import DEFAULT_PERCENTILES, GREY_DTYPES, GreyDtype, invert, scale_to_uint8
from .limits import MAX_PIXELS
from .read import inspect_xray, read_xray
from .xray_info import XrayInfo

__all__ = [
    'DEFAULT_PERCENTILES',
    'GREY_DTYPES',
    'MAX_PIXELS',
    'GreyDtype',
    'XrayInfo',
    'XrayReadError',
    'inspect_xray',
    'invert',
    'read_xray',
    'scale_to_uint8',
]

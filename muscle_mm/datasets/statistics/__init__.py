# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Statistics of the training images: grey values, sizes, depths, classes."""

from .compute import compute_statistics
from .config_fragment import check_fragment_path, write_fragment
from .data_statistics import DataStatistics
from .set_statistics import SetStatistics

__all__ = [
    'DataStatistics',
    'SetStatistics',
    'check_fragment_path',
    'compute_statistics',
    'write_fragment',
]

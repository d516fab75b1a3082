# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Check prepared sets: copies within and across sets and splits, masks, boxes, labels, files."""

from muscle_mm.datasets.checking.check_data import check_data
from muscle_mm.datasets.checking.data_report import DataReport
from muscle_mm.datasets.checking.film import Film
from muscle_mm.datasets.checking.finding import KINDS, Finding

__all__ = ['KINDS', 'DataReport', 'Film', 'Finding', 'check_data']

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Turn a set in its published layout into a manifest."""

from .prepare import prepare
from .rejections import REJECTED_NAME
from .summary import PreparationSummary

__all__ = ['REJECTED_NAME', 'PreparationSummary', 'prepare']

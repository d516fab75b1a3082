# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Transforms for radiographs."""

from .load_xray import LoadXray
from .xray_views import XrayViews

__all__ = ['LoadXray', 'XrayViews']

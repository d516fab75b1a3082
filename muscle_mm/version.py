# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The version of muscle_mm, the one place where it is written."""

__version__ = '0.1.0'

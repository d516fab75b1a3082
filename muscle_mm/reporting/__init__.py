# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""From finished work directories to tables and pictures."""

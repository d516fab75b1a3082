# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Predictions of trained models on new films: tables and pictures."""

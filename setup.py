# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Lets older tools install the package; its metadata is in setup.cfg."""

from setuptools import setup

setup()

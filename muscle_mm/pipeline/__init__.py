# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The whole of MUSCLE as a list of stages, each a command, and what runs them."""

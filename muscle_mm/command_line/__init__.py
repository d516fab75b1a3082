# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What the scripts under ``tools/`` share."""

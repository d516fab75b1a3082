# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""How many processors there are to use."""

import os


def available_processors() -> int:
    """Count the processors that this process may use, which a cluster can restrict.

    Returns:
        int: At least 1.
    """
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

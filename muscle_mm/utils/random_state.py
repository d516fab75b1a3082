# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Draw random numbers without anybody noticing."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def unchanged_random_state(device: torch.device) -> Iterator[None]:
    """Put the generators of Python, NumPy and torch back to where they were.

    What watches a training must not change it: a new data loader, for one, draws a number from
    torch's generator.

    Args:
        device (torch.device): The device whose generator is put back besides the CPU's.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[device] if device.type == 'cuda' else []):
            yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Draw random numbers without anybody noticing."""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import numpy as np
import torch
from torch.utils.data import get_worker_info


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


@contextmanager
def seeded(*numbers: int) -> Iterator[None]:
    """Let the generators of Python, NumPy and torch (on the CPU) depend on some numbers alone.

    Afterwards they are where they were before; not so in a worker of a data loader, where nothing
    but samples is drawn and the time is better spent on the next one.

    Args:
        *numbers (int): For example the seed of a run and the index of a sample. Any integers;
            neighbours give unrelated streams.
    """
    digest = _digest(numbers)
    seed = int.from_bytes(digest[:8], 'little')
    unchanged = unchanged_random_state(torch.device('cpu')) if get_worker_info() is None else None
    with unchanged or nullcontext():
        random.seed(seed)
        np.random.seed(int.from_bytes(digest[8:12], 'little'))
        # Not torch.manual_seed: it would also seed the generators of the GPUs, the model's own.
        torch.default_generator.manual_seed(seed)
        yield


def seed_of(*numbers: int) -> int:
    """Mix some numbers into one seed.

    Args:
        *numbers (int): For example the seed of a run and an iteration. Neighbours give unrelated
            seeds.

    Returns:
        int: In [0, 2**32), as NumPy takes it.
    """
    return int.from_bytes(_digest(numbers)[:4], 'little')


def _digest(numbers: tuple[int, ...]) -> bytes:
    return hashlib.blake2b(repr(numbers).encode(), digest_size=16).digest()

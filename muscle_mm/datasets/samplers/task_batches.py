# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Batches of one task, as pure functions of positions and seeds."""

from collections.abc import Iterator, Sequence

import numpy as np


def repeat_to_multiple(indices: Sequence[int], divisor: int) -> list[int]:
    """Go on from the start until the length divides.

    Args:
        indices (Sequence[int]): At least one index.
        divisor (int): What the length must be a multiple of.

    Returns:
        list[int]: The indices, followed by the first of them as often as needed.
    """
    length = -(-len(indices) // divisor) * divisor
    return [indices[position % len(indices)] for position in range(length)]


def own_share(indices: Sequence[int], rank: int, world_size: int) -> list[int]:
    """Give a rank its share, the same number on every rank.

    Args:
        indices (Sequence[int]): Sample indices, the same on every rank.
        rank (int): This process.
        world_size (int): Number of processes.

    Returns:
        list[int]: Every ``world_size``-th index, repeated from the start where it does not divide.
    """
    return repeat_to_multiple(indices, world_size)[rank::world_size]


def epoch_permutation(size: int, seed: int, task: int, epoch: int) -> list[int]:
    """Order of a task's samples in one of its epochs.

    Args:
        size (int): Number of samples.
        seed (int): Seed of the run.
        task (int): Position of the task.
        epoch (int): The task's own epoch, from 0.

    Returns:
        list[int]: A permutation of ``range(size)``.
    """
    return np.random.default_rng([seed, task, epoch]).permutation(size).tolist()


def batches(indices: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Cut indices into batches, the last of which may be smaller.

    Args:
        indices (Sequence[int]): Sample indices.
        batch_size (int): Samples of a batch.

    Yields:
        list[int]: A batch.
    """
    for begin in range(0, len(indices), batch_size):
        yield list(indices[begin : begin + batch_size])

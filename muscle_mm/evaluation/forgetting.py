# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""How much a continual training run forgets, from a matrix of scores.

``scores[v, t]`` is the score of task ``t`` on held-out data after visit ``v``; higher is better.
``visits[v]`` is the index of the task that visit ``v`` trained. The published definitions visit
every task once; over rounds a task is visited again, and each function states what then takes the
place of "after the task was learned". With one visit for each task they are the published
definitions.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def average_performance(scores: npt.ArrayLike) -> float:
    """Mean score over all tasks after the last visit.

    Source: A_k of Chaudhry et al., Riemannian Walk for Incremental Learning (ECCV 2018); the same
    as ACC of Lopez-Paz and Ranzato, Gradient Episodic Memory (NeurIPS 2017).

    Args:
        scores (ArrayLike): Float, shape (visits, tasks).

    Returns:
        float: The mean; NaN if a score is NaN.
    """
    return float(_checked(scores)[-1].mean())


def forgetting_per_task(scores: npt.ArrayLike, visits: Sequence[int]) -> np.ndarray:
    """Best score a task has had since it was first trained, less its score after the last visit.

    Source: f_j of Chaudhry et al. (ECCV 2018): the maximum runs over the visits before the last
    one. There it also covers visits before the task is learned; here it starts with the task's
    first visit, because a score of an untrained head is nothing to be forgotten. It is negative for
    a task that ended better than it ever was.

    Args:
        scores (ArrayLike): Float, shape (visits, tasks).
        visits (Sequence[int]): Index of the trained task of each visit, length ``visits``.

    Returns:
        np.ndarray: Float, shape (tasks,). NaN for the task of the last visit, which was just
            trained, and for tasks that were never visited.

    Raises:
        ValueError: If the two arguments do not fit each other.
    """
    matrix = _checked(scores, visits)
    result = np.full(matrix.shape[1], np.nan)
    for task in sorted(set(visits) - {visits[-1]}):
        first = list(visits).index(task)
        result[task] = matrix[first:-1, task].max() - matrix[-1, task]
    return result


def forgetting(scores: npt.ArrayLike, visits: Sequence[int]) -> float:
    """Mean of ``forgetting_per_task`` over the tasks that have a value; lower is better.

    Source: F_k of Chaudhry et al. (ECCV 2018).

    Args:
        scores (ArrayLike): Float, shape (visits, tasks).
        visits (Sequence[int]): Index of the trained task of each visit, length ``visits``.

    Returns:
        float: The mean; NaN if only one task has been visited.
    """
    return _mean_of_others(forgetting_per_task(scores, visits), visits)


def backward_transfer_per_task(scores: npt.ArrayLike, visits: Sequence[int]) -> np.ndarray:
    """Score of a task after the last visit, less its score right after its own latest visit.

    Source: the terms R_{T,i} - R_{i,i} of Lopez-Paz and Ranzato (NeurIPS 2017). Over rounds,
    R_{i,i} is taken after the *latest* visit of the task, so that only training of other tasks lies
    in between.

    Args:
        scores (ArrayLike): Float, shape (visits, tasks).
        visits (Sequence[int]): Index of the trained task of each visit, length ``visits``.

    Returns:
        np.ndarray: Float, shape (tasks,). NaN for the task of the last visit and for tasks that
            were never visited.

    Raises:
        ValueError: If the two arguments do not fit each other.
    """
    matrix = _checked(scores, visits)
    result = np.full(matrix.shape[1], np.nan)
    for task in sorted(set(visits) - {visits[-1]}):
        latest = len(visits) - 1 - list(reversed(visits)).index(task)
        result[task] = matrix[-1, task] - matrix[latest, task]
    return result


def backward_transfer(scores: npt.ArrayLike, visits: Sequence[int]) -> float:
    """Mean of ``backward_transfer_per_task`` over the tasks that have a value; higher is better.

    Source: BWT of Lopez-Paz and Ranzato (NeurIPS 2017).

    Args:
        scores (ArrayLike): Float, shape (visits, tasks).
        visits (Sequence[int]): Index of the trained task of each visit, length ``visits``.

    Returns:
        float: The mean; NaN if only one task has been visited.
    """
    return _mean_of_others(backward_transfer_per_task(scores, visits), visits)


def _mean_of_others(values: np.ndarray, visits: Sequence[int]) -> float:
    """Mean over the visited tasks except the one visited last.

    Args:
        values (np.ndarray): Float, shape (tasks,).
        visits (Sequence[int]): Index of the trained task of each visit.

    Returns:
        float: The mean; NaN if there is no such task or one of its scores is NaN.
    """
    others = sorted(set(visits) - {visits[-1]})
    return float(values[others].mean()) if others else float('nan')


def _checked(scores: npt.ArrayLike, visits: Sequence[int] | None = None) -> np.ndarray:
    """Check that scores and visits fit each other.

    Args:
        scores (ArrayLike): Float, shape (visits, tasks).
        visits (Sequence[int], optional): Index of the trained task of each visit. Defaults to None.

    Returns:
        np.ndarray: The scores as float64.

    Raises:
        ValueError: If they do not.
    """
    matrix = np.asarray(scores, dtype=np.float64)
    if matrix.ndim != 2 or matrix.size == 0:
        raise ValueError(f'scores must have the shape (visits, tasks), not {matrix.shape}.')
    if visits is not None:
        if len(visits) != matrix.shape[0]:
            raise ValueError(f'{matrix.shape[0]} rows of scores, but {len(visits)} visits.')
        unknown = sorted(set(visits) - set(range(matrix.shape[1])))
        if unknown:
            raise ValueError(f'visits name the tasks {unknown}, but there are {matrix.shape[1]}.')
    return matrix

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Measures of how much of its space a representation uses."""

import numpy as np


def feature_std(features: np.ndarray) -> float:
    """Standard deviation of normalised features, relative to that of even spread.

    Features are divided by their length; their standard deviation over the films is averaged over
    the dimensions and multiplied by sqrt(D). Features that point everywhere alike give 1; features
    that are all the same, a collapse, give 0. Averages of a ReLU's output are never negative, so a
    good backbone stays clearly below 1.

    Source: Chen and He, "Exploring Simple Siamese Representation Learning", CVPR 2021, section 4.1.

    Args:
        features (np.ndarray): (N, D) features.

    Returns:
        float: From 0 to 1.
    """
    features = features.astype(np.float64)
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    directions = features / np.maximum(lengths, np.finfo(np.float64).tiny)
    return float(directions.std(axis=0).mean() * np.sqrt(features.shape[1]))


def effective_rank(features: np.ndarray) -> float:
    """Number of directions that a representation really uses.

    The exponential of the entropy of the singular values' shares. Source: Garrido et al., "RankMe:
    Assessing the Downstream Performance of Pretrained Self-Supervised Representations by Their
    Rank", ICML 2023, equation 1.

    Args:
        features (np.ndarray): (N, D) features, not all zero.

    Returns:
        float: From 1 to min(N, D). It grows with the number of films: compare like with like.
    """
    values = np.linalg.svd(features.astype(np.float64), compute_uv=False)
    shares = values / values.sum() if values.sum() > 0 else np.eye(1, len(values))[0]
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))

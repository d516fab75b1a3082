# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Classification by the nearest films in feature space."""

from typing import Any

import numpy as np

#: Of the weights exp(similarity / temperature), as in Wu et al.
TEMPERATURE = 0.07


def nearest_neighbours(features: np.ndarray, labels: np.ndarray, k: int = 20) -> Any:
    """Let the k nearest films vote, near ones more than far ones.

    Nearness is the cosine between features; a vote weighs exp(cosine / 0.07). Source: Wu et al.,
    "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", CVPR 2018, section
    3.4 (there k=200, on more images).

    Args:
        features (np.ndarray): (N, D) features of the films that vote.
        labels (np.ndarray): (N,) their classes.
        k (int): Number of votes, at most N. Defaults to 20.

    Returns:
        KNeighborsClassifier: scikit-learn's, fitted; its distances are 1 - cosine.
    """
    from sklearn.neighbors import KNeighborsClassifier

    classifier = KNeighborsClassifier(
        n_neighbors=min(k, len(features)),
        metric='cosine',
        algorithm='brute',
        weights=_vote_weights,
    )
    return classifier.fit(features, labels)


def _vote_weights(distances: np.ndarray) -> np.ndarray:
    return np.exp((1 - distances) / TEMPERATURE)

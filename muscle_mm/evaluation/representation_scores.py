# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Score a representation by what simple classifiers make of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from muscle_mm.evaluation.feature_spread import effective_rank, feature_std
from muscle_mm.evaluation.knn import nearest_neighbours
from muscle_mm.evaluation.linear_probe import linear_probe


def representation_scores(
    train_features: np.ndarray,
    train_labels: np.ndarray,
    train_patients: Sequence[str],
    val_features: np.ndarray,
    val_labels: np.ndarray,
    k: int = 20,
) -> dict[str, float]:
    """Fit a nearest-neighbour vote and a linear probe, and score them on other films.

    Args:
        train_features (np.ndarray): (N, D) features to fit on.
        train_labels (np.ndarray): (N,) their classes.
        train_patients (Sequence[str]): Patient of each of these films.
        val_features (np.ndarray): (M, D) features to score on.
        val_labels (np.ndarray): (M,) their classes.
        k (int): Votes. Defaults to 20.

    Returns:
        dict[str, float]: In percent ``knn_accuracy``, ``knn_auc``, ``linear_accuracy`` and
        ``linear_auc``; of the features to fit on ``feature_std`` and ``effective_rank``.
    """
    scores = {}
    classifiers = {
        'knn': nearest_neighbours(train_features, train_labels, k),
        'linear': linear_probe(train_features, train_labels, train_patients),
    }
    for name, classifier in classifiers.items():
        probabilities = classifier.predict_proba(val_features)
        predicted = classifier.classes_[probabilities.argmax(axis=1)]
        scores[f'{name}_accuracy'] = 100 * float((predicted == val_labels).mean())
        scores[f'{name}_auc'] = 100 * macro_auc(val_labels, probabilities, classifier.classes_)
    scores['feature_std'] = feature_std(train_features)
    scores['effective_rank'] = effective_rank(train_features)
    return scores


def macro_auc(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[Any]) -> float:
    """Area under the ROC curve of each class against the rest, averaged.

    With two classes that is the usual area.

    Args:
        labels (np.ndarray): (N,) true classes.
        probabilities (np.ndarray): (N, C) scores of the classes.
        classes (Sequence): The class of each column.

    Returns:
        float: From 0 to 1, over the classes that some films have and some have not; NaN without
        such a class.
    """
    from sklearn.metrics import roc_auc_score

    areas = [
        roc_auc_score(labels == name, column)
        for name, column in zip(classes, probabilities.T, strict=True)
        if 0 < (labels == name).sum() < len(labels)
    ]
    return float(np.mean(areas)) if areas else float('nan')

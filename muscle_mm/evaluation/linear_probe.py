# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""How well a linear classifier reads labels off frozen features."""

from collections.abc import Sequence
from typing import Any

import numpy as np

#: Inverse strengths of the penalty to choose from. Our choice.
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_NUM_FOLDS = 3


def linear_probe(features: np.ndarray, labels: np.ndarray, patients: Sequence[str]) -> Any:
    """Fit a logistic regression on standardised features.

    Its penalty is the one of ``STRENGTHS`` with the highest likelihood in three-fold
    cross-validation on these films alone; a patient's films are all in one fold. The films that it
    is scored on have no part in it. With fewer than three patients of a class the penalty is
    scikit-learn's default. The result is deterministic.

    Args:
        features (np.ndarray): (N, D) features.
        labels (np.ndarray): (N,) classes, two or more different ones.
        patients (Sequence[str]): Patient of each film.

    Returns:
        Pipeline: scikit-learn's, fitted.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, tol=1e-3))
    features = features.astype(np.float64)
    folds = _folds(labels, patients)
    if not folds:
        return probe.fit(features, labels)
    classes = np.unique(labels)

    def likelihood(fitted: Any, fold_features: np.ndarray, fold_labels: np.ndarray) -> float:
        return -log_loss(fold_labels, fitted.predict_proba(fold_features), labels=classes)

    search = GridSearchCV(
        probe, {'logisticregression__C': list(STRENGTHS)}, scoring=likelihood, cv=folds
    )
    return search.fit(features, labels).best_estimator_


def _folds(labels: np.ndarray, patients: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Divide films by patient; no folds where a class would be absent from what is fitted."""
    from sklearn.model_selection import StratifiedGroupKFold

    groups = np.asarray(patients)
    classes = np.unique(labels)
    if any(np.unique(groups[labels == name]).size < _NUM_FOLDS for name in classes):
        return []
    divider = StratifiedGroupKFold(_NUM_FOLDS, shuffle=True, random_state=0)
    folds = list(divider.split(labels, labels, groups))
    if any(np.unique(labels[fitted]).size < classes.size for fitted, _ in folds):
        return []
    return folds

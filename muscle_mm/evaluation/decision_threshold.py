# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""From which score on a film is called positive."""

import numpy as np

from muscle_mm.utils.errors import UserError

#: Rules that choose a threshold on the films at hand.
THRESHOLD_RULES = ('youden', 'sensitivity')


def choose_threshold(
    labels: np.ndarray, scores: np.ndarray, rule: str, target_sensitivity: float = 0.95
) -> float:
    """Choose the threshold by which films are called positive.

    Accuracy, sensitivity and specificity on the films it was chosen on are optimistic: choose on
    the validation split, and keep it for the test split.

    Source of Youden's index: Youden, Cancer 3 (1950).

    Args:
        labels (np.ndarray): True classes, 0 or 1, shape (N,).
        scores (np.ndarray): Finite scores of class 1, shape (N,).
        rule (str): 'youden': sensitivity + specificity is largest. 'sensitivity': the sensitivity
            reaches ``target_sensitivity``, at the highest specificity.
        target_sensitivity (float): From 0 to 1, for that rule. Defaults to 0.95.

    Returns:
        float: One of the scores, the largest that will do: films that reach it are positive. NaN
        if a class is absent.

    Raises:
        UserError: If the rule is unknown.
    """
    from sklearn.metrics import roc_curve

    if rule not in THRESHOLD_RULES:
        raise UserError(f'the rule {rule!r} for a threshold is none of {list(THRESHOLD_RULES)}.')
    if np.unique(labels).size < 2:
        return float('nan')
    false_positives, true_positives, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    # The first point, which calls nothing positive, has no score.
    false_positives, true_positives = false_positives[1:], true_positives[1:]
    # Rounded, because shares such as 19/20 are not exact.
    if rule == 'youden':
        place = np.argmax(np.round(true_positives - false_positives, 12))
    else:
        place = np.argmax(np.round(true_positives - target_sensitivity, 12) >= 0)
    return float(thresholds[1 + place])

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from muscle_mm.evaluation import choose_threshold
from muscle_mm.utils.errors import UserError


def shares(labels, scores, threshold):
    """Sensitivity and specificity."""
    called = scores >= threshold
    return called[labels == 1].mean(), (~called)[labels == 0].mean()


@pytest.mark.parametrize('seed', range(5))
def test_agrees_with_a_search_over_all_scores(seed):
    generator = np.random.default_rng(seed)
    labels = np.arange(60) % 2
    scores = generator.integers(0, 20, 60) / 20 + 0.1 * labels
    candidates = sorted(set(scores), reverse=True)
    best = max(candidates, key=lambda score: round(sum(shares(labels, scores, score)), 9))
    assert choose_threshold(labels, scores, 'youden') == best
    for target in (0.5, 0.9, 1.0):
        found = choose_threshold(labels, scores, 'sensitivity', target)
        assert shares(labels, scores, found)[0] >= target
        higher = [score for score in candidates if score > found]
        assert all(shares(labels, scores, score)[0] < target for score in higher)


def test_nineteen_of_twenty_are_95_percent():
    labels, scores = np.r_[np.ones(20, int), 0], np.r_[np.arange(20) / 20, -1.0]
    assert choose_threshold(labels, scores, 'sensitivity', 0.95) == 1 / 20


@pytest.mark.parametrize('rule', ['youden', 'sensitivity'])
@pytest.mark.parametrize('scores', [[0.4, 0.4], [0.9, 0.2]], ids=['equal', 'inverted'])
def test_useless_scores_give_a_threshold_that_is_a_score(rule, scores):
    assert choose_threshold(np.array([0, 1]), np.array(scores), rule) in scores


@pytest.mark.parametrize('labels', [[], [0, 0], [1]])
def test_one_class_has_no_threshold(labels):
    assert np.isnan(choose_threshold(np.array(labels), np.ones(len(labels)), 'youden'))


def test_an_unknown_rule_is_refused():
    with pytest.raises(UserError, match="the rule 'best' for a threshold is none of"):
        choose_threshold(np.array([0, 1]), np.array([0.2, 0.8]), 'best')

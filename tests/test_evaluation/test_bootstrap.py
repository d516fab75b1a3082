# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from muscle_mm.evaluation import auc_confidence_interval, bootstrap


def plain_interval(labels, scores, num_resamples, seed):
    """The same bootstrap written as a loop over resampled indices."""
    generator = np.random.default_rng(seed)
    positives, negatives = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    areas = []
    for _ in range(num_resamples):
        drawn = np.concatenate(
            [
                generator.choice(positives, positives.size),
                generator.choice(negatives, negatives.size),
            ]
        )
        areas.append(roc_auc_score(labels[drawn], scores[drawn]))
    return np.quantile(areas, [0.025, 0.975])


def test_agrees_with_a_plain_loop_up_to_sampling_noise():
    generator = np.random.default_rng(0)
    labels = (np.arange(80) < 30).astype(int)
    scores = np.round(generator.normal(labels, 1.0), 1)
    expected = plain_interval(labels, scores, 500, seed=1)
    assert auc_confidence_interval(labels, scores) == pytest.approx(expected, abs=0.02)


def test_perfect_separation_has_an_interval_of_no_width():
    assert auc_confidence_interval(np.array([0, 0, 1]), np.array([0.1, 0.2, 0.9])) == (1.0, 1.0)


def test_constant_scores_are_chance():
    assert auc_confidence_interval(np.array([0, 1, 1]), np.full(3, 0.4)) == (0.5, 0.5)


def test_wider_confidence_is_a_wider_interval():
    labels, scores = np.tile([0, 1], 20), np.random.default_rng(0).random(40)
    narrow = auc_confidence_interval(labels, scores, confidence=0.5)
    wide = auc_confidence_interval(labels, scores, confidence=0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_small_tables_draw_as_many_resamples(monkeypatch):
    labels, scores = np.tile([0, 1], 50), np.random.default_rng(0).random(100)
    whole = auc_confidence_interval(labels, scores, num_resamples=1000)
    monkeypatch.setattr(bootstrap, '_MAX_TABLE_ENTRIES', 700)
    assert auc_confidence_interval(labels, scores, num_resamples=1000) == pytest.approx(
        whole, abs=0.02
    )


def test_one_class_has_no_interval():
    assert np.isnan(auc_confidence_interval(np.ones(4), np.random.default_rng(0).random(4))).all()

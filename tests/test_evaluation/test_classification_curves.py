# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
from sklearn.metrics import auc, roc_auc_score

from muscle_mm.evaluation import calibration, roc_points


def test_the_area_under_the_points_is_the_auc():
    generator = np.random.default_rng(0)
    labels, scores = np.arange(50) % 2, generator.integers(0, 10, 50) / 10
    points = roc_points(labels, scores)
    area = auc(points['false_positive_rate'], points['true_positive_rate'])
    assert area == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert points['thresholds'][0] is None
    assert json.loads(json.dumps(points, allow_nan=False)) == points


def test_calibration_by_hand():
    """Bins end with their upper edge: 0.1 and 0.5 are in the bins below."""
    labels = np.array([0, 0, 1, 0, 1, 1])
    scores = np.array([0.1, 0.05, 0.5, 0.45, 1.0, 0.0])
    found = calibration(labels, scores)
    expected = [(0.0, 0.1, 3, 0.05, 1 / 3), (0.4, 0.5, 2, 0.475, 0.5), (0.9, 1.0, 1, 1.0, 1.0)]
    assert [tuple(one.values()) for one in found['bins']] == [
        pytest.approx(one) for one in expected
    ]
    error = (3 * (1 / 3 - 0.05) + 2 * (0.5 - 0.475)) / 6
    assert found['expected_calibration_error'] == pytest.approx(error)
    assert found['brier'] == pytest.approx(((labels - scores) ** 2).mean())


@pytest.mark.parametrize('num_bins', [1, 7, 10])
def test_the_bins_hold_all_films(num_bins):
    generator = np.random.default_rng(1)
    labels, scores = np.arange(99) % 2, generator.random(99)
    bins = calibration(labels, scores, num_bins)['bins']
    assert sum(one['films'] for one in bins) == 99
    for one in bins:
        inside = (scores > one['low']) & (scores <= one['high'])
        assert one['films'] == inside.sum()
        assert one['mean_score'] == pytest.approx(scores[inside].mean())
        assert one['share_of_positives'] == pytest.approx(labels[inside].mean())


def test_perfectly_calibrated_scores_have_no_error():
    assert calibration(np.array([0, 1]), np.array([0.5, 0.5]))['expected_calibration_error'] == 0


def test_one_class_has_no_roc_but_a_calibration():
    assert roc_points(np.ones(3, int), np.ones(3)) is None
    assert calibration(np.ones(2, int), np.array([0.5, 1]))['brier'] == 0.125


@pytest.mark.parametrize('scores', [[], [-0.1, 0.4], [0.1, 1.5]])
def test_what_is_no_probability_has_no_calibration(scores):
    assert calibration(np.ones(len(scores), int), np.array(scores)) is None

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from muscle_mm.evaluation import delong_areas, delong_interval, paired_delong_test

#: The published example: of the 49 patients with ovarian cancer of DeLong et al. (1988) the 43 for
#: whom all is known: albumin, total protein, Krebs-Goplerud score, benefit from surgery. Data and
#: results as in SAS/STAT User's Guide, The LOGISTIC Procedure, example "Comparing Receiver
#: Operating Characteristic Curves".
OVARIAN_CANCER = """
3.0 5.8 10 0, 3.2 6.3 5 1, 3.9 6.8 3 1, 2.8 4.8 6 0, 3.2 5.8 3 1, 0.9 4.0 5 0, 2.5 5.7 8 0
1.6 5.6 5 1, 3.8 5.7 5 1, 3.7 6.7 6 1, 3.2 5.4 4 1, 3.8 6.6 6 1, 4.1 6.6 5 1, 3.6 5.7 5 1
4.3 7.0 4 1, 3.6 6.7 4 0, 2.3 4.4 6 1, 4.2 7.6 4 0, 4.0 6.6 6 0, 3.5 5.8 6 1, 3.8 6.8 7 1
3.0 4.7 8 0, 4.5 7.4 5 1, 3.7 7.4 5 1, 3.1 6.6 6 1, 4.1 8.2 6 1, 4.3 7.0 5 1, 4.3 6.5 4 1
3.2 5.1 5 1, 2.6 4.7 6 1, 3.3 6.8 6 0, 1.7 4.0 7 0, 3.7 6.1 5 1, 3.3 6.3 7 1, 4.2 7.7 6 1
3.5 6.2 5 1, 2.9 5.7 9 0, 2.1 4.8 7 1, 2.8 6.2 8 0, 4.0 7.0 7 1, 3.3 5.7 6 1, 3.7 6.9 5 1
3.6 6.6 5 1
"""
ALBUMIN, PROTEIN, SCORE, BENEFIT = np.array(
    [row.split() for row in OVARIAN_CANCER.replace(',', '\n').strip().splitlines()], dtype=float
).T
#: A low score promises a benefit.
SCORE = -SCORE


def plain_areas(labels, scores):
    """The definition: each positive against each negative, a tie counting one half."""
    scores = np.asarray(scores, dtype=float)
    wins = np.array(
        [
            [[(x > y) + 0.5 * (x == y) for y in row[labels == 0]] for x in row[labels == 1]]
            for row in scores
        ]
    )
    of_positives, of_negatives = wins.mean(axis=2), wins.mean(axis=1)
    areas = wins.mean(axis=(1, 2))
    covariance = np.zeros((len(scores), len(scores)))
    for placements in (of_positives, of_negatives):
        count = placements.shape[1]
        for r in range(len(scores)):
            for s in range(len(scores)):
                products = (placements[r] - areas[r]) * (placements[s] - areas[s])
                covariance[r, s] += products.sum() / (count - 1) / count
    return areas, covariance


def test_published_areas_errors_and_intervals():
    areas, covariance = delong_areas(BENEFIT, np.stack([ALBUMIN, SCORE, PROTEIN]))
    assert areas == pytest.approx([0.7366, 0.7258, 0.6478], abs=5e-5)
    assert np.sqrt(np.diag(covariance)) == pytest.approx([0.0927, 0.1028, 0.1000], abs=5e-5)
    for test, limits in (
        (ALBUMIN, (0.5549, 0.9182)),
        (SCORE, (0.5243, 0.9273)),
        (PROTEIN, (0.4518, 0.8439)),
    ):
        assert delong_interval(BENEFIT, test) == pytest.approx(limits, abs=5e-5)


@pytest.mark.parametrize(
    ('test', 'difference', 'limits', 'p_value'),
    [
        (ALBUMIN, 0.0108, (-0.1761, 0.1976), 0.9102),
        (PROTEIN, -0.0780, (-0.2830, 0.1271), 0.4561),
    ],
)
def test_published_differences(test, difference, limits, p_value):
    found = paired_delong_test(BENEFIT, test, SCORE)
    assert found.difference == pytest.approx(difference, abs=5e-5)
    assert (found.low, found.high) == pytest.approx(limits, abs=5e-5)
    assert found.p_value == pytest.approx(p_value, abs=5e-5)


@pytest.mark.parametrize('seed', range(5))
def test_agrees_with_the_definition_with_ties(seed):
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(41) < 13).astype(int)
    scores = np.stack(
        [generator.integers(0, 8, 41) / 7, generator.normal(labels, 1), generator.random(41)]
    )
    areas, covariance = delong_areas(labels, scores)
    expected_areas, expected_covariance = plain_areas(labels, scores)
    assert areas == pytest.approx(expected_areas, abs=1e-12)
    assert areas == pytest.approx([roc_auc_score(labels, row) for row in scores], abs=1e-12)
    assert covariance == pytest.approx(expected_covariance, abs=1e-12)


def test_small_example_by_hand():
    """Positives 2 and 4, negatives 1 and 3: placements 1/2 and 1, and 1 and 1/2; variance 1/8."""
    areas, covariance = delong_areas(np.array([1, 1, 0, 0]), np.array([[2, 4, 1, 3]]))
    assert areas == pytest.approx([0.75])
    assert covariance == pytest.approx(np.array([[0.125 / 2 + 0.125 / 2]]))


@pytest.mark.parametrize(
    ('scores', 'area'), [([0.1, 0.2, 0.8, 0.9], 1), ([0.8, 0.9, 0.1, 0.2], 0), ([0.4] * 4, 0.5)]
)
def test_perfect_inverted_and_constant_scores_have_no_width(scores, area):
    assert delong_interval(np.array([0, 0, 1, 1]), np.array(scores)) == (area, area)


@pytest.mark.parametrize('labels', [[0, 0, 0], [1, 1, 1], [0, 0, 1], []])
def test_without_two_films_of_each_class_there_is_no_interval(labels):
    scores = np.arange(len(labels)) / 4
    assert np.isnan(delong_interval(np.array(labels), scores)).all()
    assert np.isnan(paired_delong_test(np.array(labels), scores, scores).p_value)


def test_limits_stay_between_0_and_1():
    low, high = delong_interval(np.array([0, 0, 0, 1, 1]), np.array([0.1, 0.2, 0.6, 0.5, 0.9]))
    assert 0 <= low < high == 1

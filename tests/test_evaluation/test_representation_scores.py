# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from muscle_mm.evaluation import (
    effective_rank,
    feature_std,
    linear_probe,
    nearest_neighbours,
    representation_scores,
)


def two_clouds(count, distance, seed=0, dimension=8):
    """Features whose first coordinate depends on the label, the labels, and one patient a film."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    features = generator.normal(size=(count, dimension)).astype(np.float32)
    features[:, 0] += distance * (2 * labels - 1)
    return features, labels, [f'patient{i}' for i in range(count)]


def test_separable_classes_are_told_apart_by_both():
    train, val = two_clouds(60, 8), two_clouds(21, 8, seed=1)
    scores = representation_scores(*train, *val[:2])
    for name in ('knn', 'linear'):
        assert scores[f'{name}_accuracy'] == scores[f'{name}_auc'] == 100


def test_features_without_a_trace_of_the_label_are_at_chance():
    train, val = two_clouds(600, 0), two_clouds(400, 0, seed=1)
    scores = representation_scores(*train, *val[:2])
    assert 40 < scores['knn_auc'] < 60
    assert 40 < scores['linear_auc'] < 60


def test_three_classes_give_an_average_of_three_areas():
    generator = np.random.default_rng(0)
    labels = np.arange(60) % 3
    features = np.eye(3)[labels] + 0.1 * generator.normal(size=(60, 3))
    patients = list(map(str, range(60)))
    scores = representation_scores(features, labels, patients, features[::-1], labels[::-1])
    assert scores['linear_auc'] == scores['knn_auc'] == 100
    one_class_left = labels == 1
    scores = representation_scores(
        features, labels, patients, features[one_class_left], labels[one_class_left]
    )
    assert np.isnan(scores['linear_auc'])
    assert scores['linear_accuracy'] == 100


def test_near_neighbours_outvote_many_far_ones():
    """Two films of class 0 close by, three of class 1 further away: the weights decide."""
    angles = np.radians([1, -1, 40, 42, 44])
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    labels = np.array([0, 0, 1, 1, 1])
    voters = nearest_neighbours(features, labels, k=20)  # more than there are films
    probabilities = voters.predict_proba([[2.0, 0.0]])[0]
    votes = np.exp(np.cos(angles) / 0.07)
    assert probabilities == pytest.approx(
        [votes[:2].sum() / votes.sum(), votes[2:].sum() / votes.sum()]
    )
    assert probabilities[0] > 0.9


def test_the_probe_chooses_its_penalty_and_is_deterministic():
    train = two_clouds(60, 0.3, dimension=40)
    probes = [linear_probe(*train) for _ in range(2)]
    assert np.array_equal(probes[0][-1].coef_, probes[1][-1].coef_)
    assert probes[0][-1].C < 1  # a weak signal in many dimensions asks for a strong penalty
    assert linear_probe(*two_clouds(60, 5))[-1].C == 1


def test_the_probe_never_divides_a_patient():
    """Films of a patient are alike: with a patient in two folds no penalty would look best."""
    features, labels, _ = two_clouds(12, 0, dimension=40)
    features, labels = np.repeat(features, 10, axis=0), np.repeat(labels, 10)
    patients = [f'patient{i // 10}' for i in range(len(labels))]
    alone = [f'film{i}' for i in range(len(labels))]
    assert (
        linear_probe(features, labels, alone)[-1].C > linear_probe(features, labels, patients)[-1].C
    )


@pytest.mark.parametrize('count', [2, 3, 5])
def test_the_probe_takes_a_handful_of_films(count):
    features, labels, patients = two_clouds(count, 8)
    assert linear_probe(features, labels, patients)[-1].C == 1.0
    assert set(linear_probe(features, labels, patients).predict(features)) == {0, 1}


def test_std_is_one_for_even_spread_and_zero_for_a_collapse():
    generator = np.random.default_rng(0)
    assert feature_std(generator.normal(size=(2000, 64))) == pytest.approx(1, abs=0.02)
    assert feature_std(np.ones((5, 3)) * [[1], [2], [3], [4], [5]]) == pytest.approx(0, abs=1e-7)
    assert feature_std(np.zeros((5, 3))) == 0


def test_rank_counts_directions():
    assert effective_rank(np.eye(7)) == pytest.approx(7)
    assert effective_rank(np.ones((5, 3))) == pytest.approx(1)
    assert effective_rank(np.zeros((5, 3))) == pytest.approx(1)
    # shares 0.75 and 0.25 of the singular values
    assert effective_rank(np.diag([3.0, 1.0])) == pytest.approx(0.75**-0.75 * 0.25**-0.25)

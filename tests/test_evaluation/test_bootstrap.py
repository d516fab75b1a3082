# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from muscle_mm.evaluation import auc_confidence_interval, bootstrap, draw_patients


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


def test_patients_are_drawn_whole():
    """Two patients with three films each: a film counts as often as its patient's other films."""
    patients, labels = list('aaabbb'), [0, 0, 0, 1, 1, 1]
    for strata in (labels, [0] * 6):
        counts = np.concatenate(list(draw_patients(patients, strata, 300)))
        assert counts.shape == (300, 6)
        assert (counts[:, :3] == counts[:, :1]).all()
        assert (counts[:, 3:] == counts[:, 3:4]).all()
        assert (counts.sum(axis=1) == 6).all()
    assert set(counts[:, 0]) == {0, 1, 2}  # one stratum; of one patient each nothing can change


def test_kinds_of_patients_are_drawn_among_themselves():
    """Patients a, b: negative only; c, d: positive only; e, f: both."""
    patients, labels = list('abcdeeff'), [0, 0, 1, 1, 0, 1, 0, 1]
    counts = np.concatenate(list(draw_patients(patients, labels, 500)))
    for kind in ([0, 1], [2, 3], [4, 6]):
        assert (counts[:, kind].sum(axis=1) == 2).all()
        assert counts[:, kind[0]].mean() == pytest.approx(1, abs=0.15)
    assert (counts[:, 4] == counts[:, 5]).all()


def test_by_patient_agrees_with_a_plain_loop_up_to_sampling_noise():
    generator = np.random.default_rng(0)
    patients = generator.permutation(np.arange(90) // 3)
    effect = generator.normal(0, 1.5, 30)[patients]
    labels = (patients < 12).astype(int)
    scores = np.round(generator.normal(labels + effect, 0.3), 1)
    draws = np.random.default_rng(1)
    areas = []
    for _ in range(300):
        drawn = np.concatenate([draws.choice(12, 12), 12 + draws.choice(18, 18)])
        films = np.concatenate([np.flatnonzero(patients == patient) for patient in drawn])
        areas.append(roc_auc_score(labels[films], scores[films]))
    by_patient = auc_confidence_interval(labels, scores, patients=patients)
    assert by_patient == pytest.approx(np.quantile(areas, [0.025, 0.975]), abs=0.03)
    by_film = auc_confidence_interval(labels, scores)
    assert by_film[1] - by_film[0] < 0.8 * (by_patient[1] - by_patient[0])


def test_one_film_a_patient_is_the_same_as_no_patients():
    labels, scores = np.tile([0, 1], 20), np.random.default_rng(0).random(40)
    assert auc_confidence_interval(labels, scores) == auc_confidence_interval(
        labels, scores, patients=[f'{i:02}' for i in np.argsort(np.argsort(scores))]
    )


def test_one_film_of_each_class_has_an_interval():
    assert auc_confidence_interval(np.array([0, 1]), np.array([0.3, 0.2])) == (0, 0)

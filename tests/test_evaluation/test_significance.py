# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy.stats import bootstrap, kstest

from muscle_mm.evaluation import paired_bootstrap_test, paired_delong_test
from muscle_mm.utils.errors import UserError


def two_models(seed, count=80, gain=0.0):
    """Classes and the scores of two models that see partly the same; the second sees more."""
    generator = np.random.default_rng(seed)
    labels = (np.arange(count) < count // 2).astype(int)
    seen = generator.normal(labels, 1)
    first, second = seen + generator.normal(0, 1, (2, count))
    return labels, first, second + gain * labels


def auc_of(rows):
    positives, negatives = (rows[rows[:, 0] == label, 1] for label in (1, 0))
    return (positives[:, None] > negatives).mean()


def test_equal_models_do_not_differ():
    labels, first, _ = two_models(0)
    for found in (
        paired_delong_test(labels, first, 2 * first + 1),
        paired_bootstrap_test(first, first, num_resamples=100),
    ):
        assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_delong_is_antisymmetric_and_sees_a_gain():
    labels, first, second = two_models(1, gain=1.5)
    forth, back = (
        paired_delong_test(labels, first, second),
        paired_delong_test(labels, second, first),
    )
    assert forth.difference == -back.difference < 0
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low))
    assert forth.p_value == pytest.approx(back.p_value)
    assert forth.p_value < 0.01


def test_delong_without_variance_says_that_it_does_not_know():
    labels, perfect = np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])
    found = paired_delong_test(labels, perfect, -perfect)
    assert found.difference == 1
    assert np.isnan([found.low, found.high, found.p_value]).all()


def test_delongs_p_values_are_uniform_where_there_is_no_difference():
    p_values = [paired_delong_test(*two_models(seed)).p_value for seed in range(400)]
    assert kstest(p_values, 'uniform').pvalue > 0.01


def test_bootstrap_of_films_agrees_with_scipy():
    generator = np.random.default_rng(0)
    first, second = generator.random((2, 60))
    first += 0.05
    expected = bootstrap(
        (first - second,), np.mean, n_resamples=4000, method='percentile', random_state=1
    ).confidence_interval
    found = paired_bootstrap_test(first, second, num_resamples=4000)
    assert found.difference == pytest.approx((first - second).mean())
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.01)


def test_bootstrap_of_patients_agrees_with_scipy_on_their_means():
    """With equally many films of each patient, the mean over films is that over patients."""
    generator = np.random.default_rng(2)
    first = np.repeat(generator.random(20), 4) + 0.1 * generator.random(80)
    second = np.zeros(80)
    patients = [f'patient{i // 4}' for i in range(80)]
    expected = bootstrap(
        (first.reshape(20, 4).mean(axis=1),),
        np.mean,
        n_resamples=4000,
        method='percentile',
        random_state=1,
    ).confidence_interval
    by_patient = paired_bootstrap_test(first, second, patients=patients, num_resamples=4000)
    by_film = paired_bootstrap_test(first, second, num_resamples=4000)
    assert (by_patient.low, by_patient.high) == pytest.approx(tuple(expected), abs=0.02)
    assert by_film.high - by_film.low < 0.7 * (by_patient.high - by_patient.low)


@pytest.mark.parametrize('gain', [0.0, 0.7])
def test_bootstrap_of_the_auc_agrees_with_delong(gain):
    labels, first, second = two_models(5, count=120, gain=gain)
    rows = [np.stack([labels, scores], axis=1) for scores in (first, second)]
    delong = paired_delong_test(labels, first, second)
    found = paired_bootstrap_test(*rows, auc_of, strata=labels, num_resamples=200)
    assert found.difference == pytest.approx(delong.difference, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((delong.low, delong.high), abs=0.03)
    assert found.p_value == pytest.approx(delong.p_value, abs=0.1)


def test_p_value_fits_the_interval_and_is_never_zero():
    first, second = np.ones(50), np.zeros(50)
    found = paired_bootstrap_test(first, second, num_resamples=199)
    assert (found.low, found.high) == (1, 1)
    assert found.p_value == 2 / 200


def test_any_score_of_the_rows_can_be_compared():
    """Dice of a whole set: sums over films of areas (shared, predicted, true), then the ratio."""
    generator = np.random.default_rng(3)
    true = generator.integers(50, 100, 30)
    models = []
    for miss in (0, 5):
        shared = true - generator.integers(0, 10, 30) - miss
        models.append(np.stack([shared, shared + 3, true], axis=1))

    def dice(rows):
        shared, predicted, wanted = rows.sum(axis=0)
        return 2 * shared / (predicted + wanted)

    found = paired_bootstrap_test(*models, dice, num_resamples=500)
    assert found.difference == pytest.approx(dice(models[0]) - dice(models[1]))
    assert 0 < found.low < found.difference < found.high
    assert found.p_value < 0.01


def test_one_seed_one_result():
    first, second = np.random.default_rng(0).random((2, 40))
    results = [paired_bootstrap_test(first, second, seed=seed) for seed in (1, 1, 2)]
    assert results[0] == results[1] != results[2]


def test_no_film_and_undefined_scores_are_nan():
    assert np.isnan(paired_bootstrap_test(np.array([]), np.array([])).p_value)
    undefined = paired_bootstrap_test(np.ones(3), np.ones(3), lambda rows: float('nan'))
    assert np.isnan(undefined.p_value)


def test_lists_of_other_films_are_refused():
    with pytest.raises(UserError, match='3 films, but second has 2'):
        paired_bootstrap_test(np.ones(3), np.ones(2))
    with pytest.raises(UserError, match='3 films, but patients has 1'):
        paired_bootstrap_test(np.ones(3), np.ones(3), patients=['a'])
    with pytest.raises(UserError, match='2 films, but first has 3'):
        paired_delong_test(np.array([0, 1]), np.ones(3), np.ones(2))

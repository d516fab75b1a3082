# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from mmengine.registry import METRICS
from sklearn.metrics import accuracy_score, cohen_kappa_score, recall_score, roc_auc_score

from muscle_mm.evaluation import (
    BinaryClassificationMetric,
    auc_confidence_interval,
    delong_interval,
)
from muscle_mm.utils.errors import UserError

KEYS = ('accuracy', 'sensitivity', 'specificity', 'auc', 'auc_ci_low', 'auc_ci_high', 'threshold')


def evaluate(labels, scores, patients=None, studies=None, metric=None, **options):
    metric = metric or BinaryClassificationMetric(**options)
    metric.dataset_meta = {'classes': ('normal', 'pneumonia'), 'dataset': 'PneumoniaCXR'}
    samples = [
        {'gt_label': torch.tensor([label]), 'pred_score': torch.tensor([1 - score, score])}
        for label, score in zip(labels, scores, strict=True)
    ]
    for key, values in (('patient_id', patients), ('study', studies)):
        for sample, value in zip(samples, values or [], strict=False):
            sample[key] = value
    for start in range(0, len(samples), 7):
        metric.process(None, samples[start : start + 7])
    return metric.evaluate(len(samples))


@pytest.fixture
def warnings(monkeypatch):
    messages = []
    monkeypatch.setattr(
        'muscle_mm.evaluation.binary_classification_metric.print_log',
        lambda message, **_: messages.append(message),
    )
    return messages


@pytest.mark.parametrize('seed', range(5))
def test_agrees_with_scikit_learn_on_random_scores_with_ties(seed):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, 101)
    scores = generator.integers(0, 17, 101).astype(np.float32) / 16
    measures = evaluate(labels, scores)
    called = scores >= 0.5
    assert list(measures) == [f'binary/{key}' for key in KEYS]
    assert measures['binary/accuracy'] == pytest.approx(100 * accuracy_score(labels, called))
    assert measures['binary/sensitivity'] == pytest.approx(100 * recall_score(labels, called))
    assert measures['binary/specificity'] == pytest.approx(
        100 * recall_score(labels, called, pos_label=0)
    )
    assert measures['binary/auc'] == pytest.approx(100 * roc_auc_score(labels, scores))
    assert (
        0
        <= measures['binary/auc_ci_low']
        < measures['binary/auc']
        < measures['binary/auc_ci_high']
        <= 100
    )


def test_is_built_by_scope_alone():
    metric = METRICS.build({'type': 'muscle_mm.BinaryClassificationMetric', 'threshold': 0.3})
    assert isinstance(metric, BinaryClassificationMetric)
    assert metric.threshold == 0.3


def test_threshold_moves_sensitivity_and_not_auc():
    labels, scores = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]
    strict, loose = evaluate(labels, scores), evaluate(labels, scores, threshold=0.3)
    assert (strict['binary/sensitivity'], loose['binary/sensitivity']) == (50, 100)
    assert (strict['binary/specificity'], loose['binary/specificity']) == (100, 50)
    assert strict['binary/auc'] == loose['binary/auc'] == pytest.approx(75)


def test_same_seed_gives_the_same_interval():
    generator = np.random.default_rng(3)
    labels, scores = generator.integers(0, 2, 60), generator.random(60)
    assert evaluate(labels, scores, seed=1) == evaluate(labels, scores, seed=1)
    assert evaluate(labels, scores, seed=1) != evaluate(labels, scores, seed=2)


@pytest.mark.parametrize(
    ('labels', 'absent', 'undefined', 'defined'),
    [
        ([1, 1, 1], 'normal', 'specificity', 'sensitivity'),
        ([0, 0, 0], 'pneumonia', 'sensitivity', 'specificity'),
    ],
)
def test_one_class_only_gives_nan_and_a_warning_that_names_it(
    labels, absent, undefined, defined, warnings
):
    measures = evaluate(labels, [0.2, 0.6, 0.9])
    assert warnings == [
        f"BinaryClassificationMetric on PneumoniaCXR: no film of class '{absent}' among the 3 "
        'evaluated films: AUC and its interval are nan. Check the split in the manifest.'
    ]
    for key in ('auc', 'auc_ci_low', 'auc_ci_high', undefined):
        assert np.isnan(measures[f'binary/{key}'])
    assert np.isfinite(measures[f'binary/{defined}'])
    assert np.isfinite(measures['binary/accuracy'])


def test_no_sample_at_all_gives_nan():
    measures = evaluate([], [])
    assert measures.pop('binary/threshold') == 0.5
    assert all(np.isnan(value) for value in measures.values())


def test_three_classes_are_refused():
    with pytest.raises(UserError, match='needs two classes, but the model predicts 3'):
        BinaryClassificationMetric().process(
            None, [{'gt_label': torch.tensor([0]), 'pred_score': torch.ones(3)}]
        )


def test_a_label_of_a_third_class_is_refused():
    sample = {'gt_label': torch.tensor([2]), 'pred_score': torch.ones(2), 'img_path': 'a/b.png'}
    with pytest.raises(UserError, match=r'but a/b\.png is of class 2\. Check gt_label'):
        BinaryClassificationMetric().process(None, [sample])


@pytest.mark.parametrize(
    'options',
    [
        {'threshold': 'best'},
        {'interval': 'wald'},
        {'target_sensitivity': 95},
        {'confidence': 95},
        {'num_resamples': 0},
    ],
)
def test_unknown_options_are_refused(options):
    with pytest.raises(UserError, match=r'is neither|is not between|must be at least'):
        BinaryClassificationMetric(**options)


def test_scores_that_are_not_finite_are_refused():
    with pytest.raises(UserError, match=r'1 of 2 predicted scores are not finite.*lr'):
        evaluate([0, 1], [0.2, float('nan')])


@pytest.mark.parametrize(
    ('labels', 'scores'),
    [
        ([0, 1, 1, 0], [0.5] * 4),
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]),
        ([1, 1, 0, 0], [0.1, 0.2, 0.8, 0.9]),
        ([0, 1], [0.7, 0.6]),
        ([0, 1], [0.5, 0.5]),
    ],
    ids=['constant', 'perfect', 'inverted', 'one-each', 'one-each-equal'],
)
@pytest.mark.parametrize('interval', ['bootstrap', 'delong'])
def test_agrees_with_scikit_learn_on_degenerate_scores(labels, scores, interval):
    measures = evaluate(labels, scores, interval=interval)
    labels, called = np.array(labels), np.array(scores) >= 0.5
    expected = [
        accuracy_score(labels, called),
        recall_score(labels, called),
        recall_score(labels, called, pos_label=0),
        roc_auc_score(labels, scores),
    ]
    found = [measures[f'binary/{key}'] for key in KEYS[:4]]
    assert found == pytest.approx([100 * value for value in expected], abs=1e-6)


def test_the_interval_is_by_patient_and_delongs_on_request():
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(20) % 2, 4)
    scores = (np.repeat(generator.random(20), 4) + labels / 4).astype(np.float32) / 2
    patients = [f'patient{i // 4}' for i in range(80)]

    def interval(**options):
        measures = evaluate(labels, scores, **options)
        return measures['binary/auc_ci_low'] / 100, measures['binary/auc_ci_high'] / 100

    by_patient, by_film = interval(patients=patients), interval()
    assert by_patient == auc_confidence_interval(labels, scores, patients=patients)
    assert by_film == pytest.approx(auc_confidence_interval(labels, scores), abs=0.03)
    assert by_patient[0] < by_film[0]
    assert interval(patients=patients, interval='delong') == pytest.approx(
        delong_interval(labels, scores)
    )


def test_films_of_unknown_patients_are_independent():
    generator = np.random.default_rng(1)
    labels, scores = np.arange(30) % 2, generator.random(30).astype(np.float32)
    assert evaluate(labels, scores, patients=[''] * 30) == evaluate(labels, scores)


STUDIES = ['a', 'a', 'b', 'b', 'c', '', '']
STUDY_LABELS = [1, 1, 0, 0, 1, 0, 1]
STUDY_SCORES = [0.9, 0.3, 0.2, 0.7, 0.1, 0.4, 0.8]


def test_a_study_scores_the_mean_of_its_films():
    measures = evaluate(STUDY_LABELS, STUDY_SCORES, studies=STUDIES, by_study=True)
    # a 0.6, b 0.45, c 0.1, and two films without a study
    labels, scores = np.array([1, 0, 1, 0, 1]), np.array([0.6, 0.45, 0.1, 0.4, 0.8])
    called = scores >= 0.5
    films = evaluate(STUDY_LABELS, STUDY_SCORES)
    assert {key: measures[key] for key in films} == films
    expected = {
        'accuracy': accuracy_score(labels, called),
        'sensitivity': recall_score(labels, called),
        'specificity': recall_score(labels, called, pos_label=0),
        'auc': roc_auc_score(labels, scores),
        'kappa': cohen_kappa_score(labels, called),
    }
    for key, value in expected.items():
        assert measures[f'binary/study_{key}'] == pytest.approx(100 * value, abs=1e-6)
    assert measures['binary/study_threshold'] == 0.5
    assert set(measures) == {f'binary/{key}' for key in KEYS} | {
        f'binary/study_{key}' for key in (*KEYS, 'kappa')
    }


def test_without_studies_there_are_no_scores_of_them_and_a_warning(warnings):
    measures = evaluate(STUDY_LABELS, STUDY_SCORES, by_study=True)
    assert list(measures) == [f'binary/{key}' for key in KEYS]
    assert len(warnings) == 1
    assert 'PneumoniaCXR: by_study=True, but no film names its study' in warnings[0]
    assert "Add 'study' to meta_keys of mmpretrain.PackInputs" in warnings[0]


def test_a_threshold_chosen_on_these_films_is_logged_with_a_caution(warnings):
    labels, scores = [0, 0, 0, 1, 1], [0.1, 0.2, 0.375, 0.25, 0.75]
    measures = evaluate(labels, scores, threshold='youden')
    assert measures['binary/threshold'] == 0.25
    assert measures['binary/sensitivity'] == 100
    assert measures['binary/specificity'] == pytest.approx(200 / 3)
    assert len(warnings) == 1
    assert 'binary/threshold 0.2500 is chosen on these 5 cases' in warnings[0]
    assert 'are optimistic' in warnings[0]
    half = evaluate(labels, scores, threshold='sensitivity', target_sensitivity=0.5)
    assert half['binary/threshold'] == 0.75


def test_a_threshold_that_cannot_be_chosen_is_one_half():
    assert evaluate([1, 1], [0.2, 0.9], threshold='youden')['binary/threshold'] == 0.5


def test_a_threshold_of_validation_is_the_one_that_was_handed_over(warnings):
    metric = BinaryClassificationMetric(threshold='validation', by_study=True)
    metric.validation_thresholds = {'binary/threshold': 0.35, 'binary/study_threshold': 0.45}
    measures = evaluate(STUDY_LABELS, STUDY_SCORES, studies=STUDIES, metric=metric)
    fixed = evaluate(STUDY_LABELS, STUDY_SCORES, threshold=0.35)
    assert {key: measures[key] for key in fixed} == fixed
    assert measures['binary/study_threshold'] == 0.45
    assert warnings == []


def test_a_missing_threshold_of_validation_is_one_half_with_a_warning(warnings):
    measures = evaluate(STUDY_LABELS, STUDY_SCORES, threshold='validation')
    assert measures == evaluate(STUDY_LABELS, STUDY_SCORES)
    assert len(warnings) == 1
    assert 'the checkpoint keeps no binary/threshold: 0.5 is taken' in warnings[0]


def test_the_predictions_are_kept_in_order():
    metric = BinaryClassificationMetric()
    assert metric.predictions is None
    evaluate(STUDY_LABELS, STUDY_SCORES, studies=STUDIES, metric=metric)
    assert metric.predictions.labels.tolist() == STUDY_LABELS
    assert metric.predictions.scores == pytest.approx(STUDY_SCORES)
    assert list(metric.predictions.studies) == STUDIES

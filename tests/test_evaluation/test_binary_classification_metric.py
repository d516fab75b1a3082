# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from mmengine.registry import METRICS
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score

from muscle_mm.evaluation import BinaryClassificationMetric
from muscle_mm.utils.errors import UserError

KEYS = ('accuracy', 'sensitivity', 'specificity', 'auc', 'auc_ci_low', 'auc_ci_high')


def evaluate(labels, scores, **options):
    metric = BinaryClassificationMetric(**options)
    metric.dataset_meta = {'classes': ('normal', 'pneumonia')}
    samples = [
        {'gt_label': torch.tensor([label]), 'pred_score': torch.tensor([1 - score, score])}
        for label, score in zip(labels, scores, strict=True)
    ]
    for start in range(0, len(samples), 7):
        metric.process(None, samples[start : start + 7])
    return metric.evaluate(len(samples))


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
    labels, absent, undefined, defined, monkeypatch
):
    messages = []
    monkeypatch.setattr(
        'muscle_mm.evaluation.binary_classification_metric.print_log',
        lambda message, **_: messages.append(message),
    )
    measures = evaluate(labels, [0.2, 0.6, 0.9])
    assert messages == [
        f"No film of class '{absent}' among the 3 evaluated films: AUC and its interval are nan. "
        'Check the split in the manifest.'
    ]
    for key in ('auc', 'auc_ci_low', 'auc_ci_high', undefined):
        assert np.isnan(measures[f'binary/{key}'])
    assert np.isfinite(measures[f'binary/{defined}'])
    assert np.isfinite(measures['binary/accuracy'])


def test_no_sample_at_all_gives_nan():
    assert all(np.isnan(value) for value in evaluate([], []).values())


def test_three_classes_are_refused():
    with pytest.raises(UserError, match='needs two classes, but the model predicts 3'):
        BinaryClassificationMetric().process(
            None, [{'gt_label': torch.tensor([0]), 'pred_score': torch.ones(3)}]
        )


def test_scores_that_are_not_finite_are_refused():
    with pytest.raises(UserError, match=r'1 of 2 predicted scores are not finite.*lr'):
        evaluate([0, 1], [0.2, float('nan')])

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json
from types import SimpleNamespace

import pytest

from muscle_mm.engine import ValidationThresholdHook
from muscle_mm.evaluation import BinaryClassificationMetric


def runner(iteration=10, metrics=()):
    return SimpleNamespace(iter=iteration, test_evaluator=SimpleNamespace(metrics=list(metrics)))


def saved(hook, iteration):
    checkpoint = {'meta': {}}
    hook.before_save_checkpoint(runner(iteration), checkpoint)
    return checkpoint


def test_a_checkpoint_keeps_the_thresholds_of_its_own_weights_only():
    hook = ValidationThresholdHook()
    assert saved(hook, 0) == {'meta': {}}
    hook.after_val_epoch(runner(10), {'binary/threshold': 0.3, 'binary/auc': 90.0})
    assert saved(hook, 10) == {'meta': {'validation_thresholds': {'binary/threshold': 0.3}}}
    # the next epoch is saved before it is validated
    assert saved(hook, 20) == {'meta': {}}


def test_the_tested_checkpoints_thresholds_reach_the_metric():
    hook, metric = ValidationThresholdHook(), BinaryClassificationMetric(threshold='validation')
    hook.after_val_epoch(runner(10), {'binary/threshold': 0.3})
    best = saved(hook, 10)
    hook.after_val_epoch(runner(20), {'binary/threshold': 0.6})
    hook.after_load_checkpoint(runner(20), best)
    hook.before_test(runner(20, [object(), metric]))
    assert metric.validation_thresholds == {'binary/threshold': 0.3}


def test_the_last_weights_are_tested_with_their_own_thresholds():
    hook, metric = ValidationThresholdHook(), BinaryClassificationMetric()
    hook.after_val_epoch(runner(10), {'binary/threshold': 0.6})
    hook.before_test(runner(10, [metric]))
    assert metric.validation_thresholds == {'binary/threshold': 0.6}


@pytest.mark.parametrize('checkpoint', [{}, {'meta': {}}])
def test_a_checkpoint_without_thresholds_takes_away_older_ones(checkpoint):
    hook, metric = ValidationThresholdHook(), BinaryClassificationMetric()
    hook.after_val_epoch(runner(10), {'binary/threshold': 0.6})
    hook.after_load_checkpoint(runner(10), checkpoint)
    hook.before_test(runner(10, [metric]))
    assert metric.validation_thresholds == {}


def test_in_a_training_the_test_takes_the_threshold_of_the_best_model(train_and_test):
    work_dir = train_and_test(
        val_evaluator=dict(type='muscle_mm.BinaryClassificationMetric', threshold='youden'),
        test_evaluator=dict(type='muscle_mm.BinaryClassificationMetric', threshold='validation'),
        custom_hooks=[
            dict(type='muscle_mm.TestAfterTrainHook'),
            dict(type='muscle_mm.ValidationThresholdHook'),
        ],
    )
    result = json.loads((work_dir / 'test_metrics.json').read_text())
    validated = [
        json.loads(line)
        for path in work_dir.glob('*/vis_data/scalars.json')
        for line in path.read_text().splitlines()
        if 'binary/auc' in line
    ]
    best = max(validated, key=lambda scores: scores['binary/auc'])
    assert result['metrics']['binary/threshold'] == best['binary/threshold'] != 0.5
    # validation and test have the same films here
    assert result['metrics'] == {key: pytest.approx(best[key]) for key in result['metrics']}

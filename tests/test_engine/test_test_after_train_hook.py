# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json


def test_the_best_checkpoint_is_tested(train_and_test):
    result = json.loads((train_and_test() / 'test_metrics.json').read_text())
    assert 'best_binary_auc_epoch_' in result['checkpoint']
    assert set(result['metrics']) >= {'binary/accuracy', 'binary/auc', 'binary/auc_ci_low'}
    assert all(0 <= value <= 100 for value in result['metrics'].values())


def test_without_a_best_checkpoint_the_last_weights_are_tested(train_and_test):
    hooks = dict(checkpoint=dict(type='CheckpointHook', interval=-1))
    result = json.loads((train_and_test(default_hooks=hooks) / 'test_metrics.json').read_text())
    assert result['checkpoint'] is None


def test_without_a_test_split_nothing_happens(train_and_test):
    work_dir = train_and_test(test_dataloader=None, test_evaluator=None, test_cfg=None)
    assert not (work_dir / 'test_metrics.json').exists()

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json
from copy import deepcopy

import pytest
from mmengine.runner import Runner

pytest.importorskip('mmpretrain')


@pytest.fixture
def train(tmp_path):
    loader = dict(
        batch_size=4,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(type='muscle_mm.RandomFilms', size=12),
    )
    metric = dict(type='muscle_mm.BinaryClassificationMetric')

    def train(**changes):
        config = dict(
            model=dict(
                type='mmpretrain.ImageClassifier',
                backbone=dict(type='mmpretrain.ResNet', depth=18, base_channels=4, stem_channels=4),
                neck=dict(type='mmpretrain.GlobalAveragePooling'),
                head=dict(
                    type='mmpretrain.LinearClsHead', num_classes=2, in_channels=32, topk=(1,)
                ),
                data_preprocessor=dict(
                    type='muscle_mm.GreyDataPreprocessor',
                    preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', mean=[100], std=[50]),
                ),
            ),
            train_dataloader=deepcopy(loader),
            val_dataloader=deepcopy(loader),
            test_dataloader=deepcopy(loader),
            val_evaluator=metric,
            test_evaluator=metric,
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01)),
            train_cfg=dict(by_epoch=True, max_epochs=2),
            val_cfg=dict(),
            test_cfg=dict(),
            custom_hooks=[dict(type='muscle_mm.TestAfterTrainHook')],
            default_hooks=dict(
                checkpoint=dict(type='CheckpointHook', save_best='binary/auc', rule='greater')
            ),
            default_scope='mmpretrain',
            experiment_name=f'test-after-train-{tmp_path.name}',
            log_level='ERROR',
            work_dir=str(tmp_path),
            randomness=dict(seed=0),
        )
        Runner(**(config | changes)).train()
        return tmp_path / 'test_metrics.json'

    return train


def test_the_best_checkpoint_is_tested(train):
    result = json.loads(train().read_text())
    assert 'best_binary_auc_epoch_' in result['checkpoint']
    assert set(result['metrics']) >= {'binary/accuracy', 'binary/auc', 'binary/auc_ci_low'}
    assert all(0 <= value <= 100 for value in result['metrics'].values())


def test_without_a_best_checkpoint_the_last_weights_are_tested(train):
    hooks = dict(checkpoint=dict(type='CheckpointHook', interval=-1))
    assert json.loads(train(default_hooks=hooks).read_text())['checkpoint'] is None


def test_without_a_test_split_nothing_happens(train):
    path = train(test_dataloader=None, test_evaluator=None, test_cfg=None)
    assert not path.exists()

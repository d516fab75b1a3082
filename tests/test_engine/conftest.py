# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Runs on random films, small enough for a second: continual learning, and fine-tuning."""

from copy import deepcopy

import pytest
import torch
from mmengine.dataset import BaseDataset
from mmengine.runner import Runner

from muscle_mm.registry import DATASETS

pytest.importorskip('mmpretrain')


@DATASETS.register_module()
class RandomFilms(BaseDataset):
    """Random grey films, brighter in class 1, packed for mmpretrain's classifier."""

    METAINFO = dict(classes=('dark', 'bright'))

    def __init__(self, size, seed=0):
        self.size, self.seed = size, seed
        super().__init__(serialize_data=False)

    def load_data_list(self):
        return [dict(index=index, gt_label=index % 2) for index in range(self.size)]

    def prepare_data(self, idx):
        from mmpretrain.structures import DataSample

        generator = torch.Generator().manual_seed(self.seed * 1000 + idx)
        film = torch.randint(0, 100, (1, 32, 32), dtype=torch.uint8, generator=generator)
        label = idx % 2
        sample = DataSample().set_gt_label(label)
        return dict(inputs=film + 100 * label, data_samples=sample)


def task_model():
    return dict(
        type='mmpretrain.ImageClassifier',
        neck=dict(type='mmpretrain.GlobalAveragePooling'),
        head=dict(type='mmpretrain.LinearClsHead', num_classes=2, in_channels=32, topk=(1,)),
        data_preprocessor=dict(
            type='muscle_mm.GreyDataPreprocessor',
            preprocessor=dict(
                type='mmpretrain.ClsDataPreprocessor', mean=[128.0] * 3, std=[50.0] * 3
            ),
        ),
    )


SIZES = dict(chest=8, bone=6, hand=4)


def continual_config(work_dir):
    tasks = list(SIZES)
    loader = dict(
        batch_size=2,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='pseudo_collate'),
        dataset=dict(
            type='muscle_mm.MultiTaskDataset',
            datasets={
                name: dict(type='muscle_mm.RandomFilms', size=size, seed=seed)
                for seed, (name, size) in enumerate(SIZES.items())
            },
        ),
    )
    metric = dict(type='muscle_mm.BinaryClassificationMetric', num_resamples=20)
    return dict(
        model=dict(
            type='muscle_mm.MultiTaskPretrainer',
            backbone=dict(
                type='mmpretrain.ResNet',
                depth=18,
                base_channels=4,
                stem_channels=4,
                out_indices=(3,),
                init_cfg=dict(type='muscle_mm.BackboneInit'),
            ),
            tasks={name: task_model() for name in tasks},
            memory=dict(type='muscle_mm.FeatureDistillation'),
        ),
        train_dataloader=dict(
            loader, batch_sampler=dict(type='muscle_mm.CyclicTaskBatchSampler', rounds=2, seed=3)
        ),
        val_dataloader=dict(
            deepcopy(loader), batch_sampler=dict(type='muscle_mm.SequentialTaskBatchSampler')
        ),
        val_evaluator=[
            dict(type='muscle_mm.MultiTaskMetric', metrics={name: metric for name in tasks})
        ],
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9)),
        param_scheduler=[dict(type='muscle_mm.CyclicRestartLR', warmup_iters=1, round_decay=0.5)],
        train_cfg=dict(type='muscle_mm.ContinualTrainLoop'),
        val_cfg=dict(),
        custom_hooks=[
            dict(
                type='muscle_mm.ContinualMultiTaskHook',
                score_keys={name: 'binary/auc' for name in tasks},
            )
        ],
        default_hooks=dict(
            logger=dict(type='LoggerHook', interval=1),
            checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=1),
        ),
        log_processor=dict(by_epoch=False),
        randomness=dict(seed=0),
        default_scope='mmpretrain',
        experiment_name=f'{work_dir.parent.name}-{work_dir.name}',
        log_level='ERROR',
        work_dir=str(work_dir),
    )


@pytest.fixture
def continual_config_of():
    """Make the config of a continual run, for its work directory."""
    return continual_config


@pytest.fixture
def run_continual(tmp_path):
    """Build (and by default train) a continual run, each in a work directory of its own."""
    count = 0

    def run(train=True, resume_from=None, **changes):
        nonlocal count
        count += 1
        config = continual_config(tmp_path / f'run{count}')
        config |= changes
        if resume_from is not None:
            config |= dict(load_from=str(resume_from), resume=True)
        torch.manual_seed(0)
        runner = Runner(**config)
        if train:
            runner.train()
        return runner

    return run


@pytest.fixture
def train_and_test(tmp_path):
    """Fine-tune a small classifier for two epochs, and test it; gives the work directory."""
    loader = dict(
        batch_size=4,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(type='muscle_mm.RandomFilms', size=12),
    )
    metric = dict(type='muscle_mm.BinaryClassificationMetric', num_resamples=20)

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
        return tmp_path

    return train

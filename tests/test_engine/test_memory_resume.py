# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
import torch

TASK = dict(
    type='mmpretrain.ImageClassifier',
    neck=dict(type='mmpretrain.GlobalAveragePooling'),
    head=dict(type='mmpretrain.LinearClsHead', num_classes=2, in_channels=32, topk=(1,)),
    data_preprocessor=dict(
        type='muscle_mm.GreyDataPreprocessor',
        preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', mean=[128.0] * 3, std=[50.0] * 3),
    ),
)
BACKBONE = dict(
    type='mmpretrain.ResNet', depth=18, base_channels=4, stem_channels=4, out_indices=(3,)
)


@pytest.mark.parametrize(
    ('memory', 'batch_norm'),
    [
        (dict(type='muscle_mm.EMATeacher', momentum=0.9), 'per_task'),
        (dict(type='muscle_mm.WeightAnchor', importance='fisher'), 'frozen'),
    ],
    ids=['EMATeacher', 'WeightAnchor'],
)
def test_a_resumed_run_has_the_same_memory(run_continual, memory, batch_norm):
    changes = dict(
        model=dict(
            type='muscle_mm.MultiTaskPretrainer',
            backbone=BACKBONE,
            tasks={name: TASK for name in ('chest', 'bone', 'hand')},
            memory=memory,
            batch_norm=batch_norm,
        ),
        val_cfg=None,
        val_dataloader=None,
        val_evaluator=None,
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9)),
    )
    whole = run_continual(**changes)
    # In the middle of a visit that is not the first: the anchor has counted a part of it.
    resumed = run_continual(resume_from=Path(whole.work_dir) / 'iter_7.pth', **changes)
    assert whole.iter == resumed.iter == 18
    for name, value in whole.model.state_dict().items():
        assert value.isfinite().all(), name
        assert torch.equal(resumed.model.state_dict()[name], value), name

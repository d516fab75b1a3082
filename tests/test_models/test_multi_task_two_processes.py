# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The multi-task model under DistributedDataParallel, with each BatchNorm policy."""

import pytest

pytest.importorskip('mmpretrain')

SCRIPT = """
    import torch
    import torch.distributed as dist
    from mmengine.model import MMDistributedDataParallel
    from mmengine.optim import OptimWrapper
    from mmpretrain.structures import DataSample

    from muscle_mm.registry import MODELS

    TASK = dict(
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


    def build(batch_norm):
        torch.manual_seed(0)
        model = MODELS.build(
            dict(
                type='muscle_mm.MultiTaskPretrainer',
                backbone=dict(
                    type='mmpretrain.ResNet', depth=18, base_channels=4, stem_channels=4,
                    out_indices=(3,), init_cfg=dict(type='muscle_mm.BackboneInit'),
                ),
                tasks=dict(chest=TASK, bone=TASK),
                batch_norm=batch_norm,
                memory=dict(type='muscle_mm.FeatureDistillation'),
            )
        )
        model.init_weights()
        model.memory.remember()
        return model


    def batch(task, seed):
        generator = torch.Generator().manual_seed(seed)
        films = torch.randint(0, 256, (2, 1, 32, 32), dtype=torch.uint8, generator=generator)
        samples = [DataSample().set_gt_label(index) for index in range(2)]
        return dict(task=[task] * 2, inputs=list(films), data_samples=samples)


    def same_everywhere(value):
        everyone = [torch.empty_like(value) for _ in range(2)]
        dist.all_gather(everyone, value.contiguous())
        return torch.equal(*everyone)


    dist.init_process_group('gloo')
    for broadcast_buffers in (False, True):
        for batch_norm in ('shared', 'frozen', 'per_task'):
            model = build(batch_norm)
            wrapped = MMDistributedDataParallel(
                model, find_unused_parameters=True, broadcast_buffers=broadcast_buffers
            ).train()
            optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), 0.01, momentum=0.9))
            for step, task in enumerate(['chest', 'bone', 'bone']):
                wrapped.train_step(batch(task, 2 * step + dist.get_rank()), optimizer)
            where = batch_norm, broadcast_buffers
            for name, parameter in model.named_parameters():
                assert same_everywhere(parameter.detach()), (name, *where)
            counts = [int(t.backbone.bn1.num_batches_tracked) for t in model.tasks.values()]
            expected = dict(shared=[3, 3], frozen=[0, 0], per_task=[1, 2])
            assert counts == expected[batch_norm], (counts, *where)
    dist.barrier()
    dist.destroy_process_group()
"""


def test_processes_agree_under_each_policy(run_two_processes):
    run_two_processes(SCRIPT)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Step 1 in two processes goes on where it was interrupted."""

import pytest

pytest.importorskip('mmpretrain')

SCRIPT = """
    import sys

    import torch
    from mmengine.config import Config
    from mmengine.dataset import BaseDataset
    from mmengine.dist import get_rank
    from mmengine.runner import Runner

    from muscle_mm.command_line.processes_on_cpu import prepare_processes_on_cpu
    from muscle_mm.registry import DATASETS


    @DATASETS.register_module()
    class RandomViews(BaseDataset):
        def __init__(self):
            super().__init__(serialize_data=False)

        def load_data_list(self):
            return [dict() for _ in range(24)]

        def prepare_data(self, idx):
            generator = torch.Generator().manual_seed(idx)
            views = [torch.randint(0, 256, (1, 32, 32), generator=generator).byte() for _ in '12']
            return dict(inputs=views, dataset='ab'[idx % 2], img_path=f'{idx}.png')


    def train(work_dir, **options):
        config = dict(
            model=dict(
                type='muscle_mm.MDMoCo',
                backbone=dict(
                    type='mmpretrain.ResNet', depth=18, base_channels=4, stem_channels=4,
                    out_indices=(3,),
                ),
                neck=dict(
                    type='mmpretrain.MoCoV2Neck', in_channels=32, hid_channels=8, out_channels=4
                ),
                queue_len=17, feature_dim=4, momentum=0.5, bn_splits=2,
                same_dataset_negatives=True,
                data_preprocessor=dict(type='muscle_mm.ViewsDataPreprocessor', mean=128, std=50),
            ),
            train_dataloader=dict(
                batch_size=4, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=True),
                dataset=dict(type='muscle_mm.RandomViews'),
            ),
            optim_wrapper=dict(optimizer=dict(type='AdamW', lr=1e-3)),
            train_cfg=dict(by_epoch=True, max_epochs=2),
            custom_hooks=[dict(type='muscle_mm.MomentumUpdateHook', end_momentum=1.0)],
            default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1), logger=None),
            launcher='pytorch', randomness=dict(seed=0), default_scope='mmpretrain',
            experiment_name=work_dir, log_level='ERROR', work_dir=work_dir, **options,
        )
        config = Config(config)
        prepare_processes_on_cpu(config)
        runner = Runner.from_cfg(config)
        runner.train()
        return runner.model.module.state_dict()


    folder = sys.argv[1]
    whole = train(folder + '/whole')
    rest = train(folder + '/rest', resume=True, load_from=folder + '/whole/epoch_1.pth')
    assert int(whole['queue.position']) == 48 % 17
    for name, value in rest.items():
        # Only the first process's running statistics are saved; training does not use them.
        if get_rank() == 0 or not name.endswith(('_mean', '_var')):
            assert torch.equal(value, whole[name]), name
    everyone = [torch.empty_like(rest['queue.keys']) for _ in range(2)]
    torch.distributed.all_gather(everyone, rest['queue.keys'])
    assert torch.equal(*everyone)
"""


def test_a_resumed_run_ends_as_one_that_never_stopped(run_two_processes, tmp_path):
    """Weights, momentum weights and the queue, bit for bit and alike in both processes."""
    run_two_processes(SCRIPT, tmp_path)

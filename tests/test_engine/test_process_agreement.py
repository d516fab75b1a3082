# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Before each checkpoint all processes must have the same weights."""

from pathlib import Path

SCRIPT = """
    import os
    import sys

    import torch
    import torch.distributed as dist
    from mmengine.config import Config
    from mmengine.dataset import BaseDataset
    from mmengine.hooks import Hook
    from mmengine.model import BaseModel
    from mmengine.registry import DATASETS, HOOKS, MODELS
    from mmengine.runner import Runner
    from torch import nn

    from muscle_mm.command_line.processes_on_cpu import prepare_processes_on_cpu
    from muscle_mm.engine.process_agreement import refuse_different_weights
    from muscle_mm.utils.errors import UserError


    @DATASETS.register_module()
    class Numbers(BaseDataset):
        def load_data_list(self):
            return [dict() for _ in range(8)]

        def prepare_data(self, idx):
            return dict(inputs=torch.full((2, 4, 4), float(idx)))


    @MODELS.register_module()
    class Toy(BaseModel):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3))
            self.register_buffer('flags', torch.tensor([True, False]))
            self.register_buffer('sixteen_bits', torch.zeros(3, dtype=torch.bfloat16))
            self.register_buffer('undefined', torch.tensor(float('nan')))
            self.register_buffer('own', torch.tensor(int(os.environ['RANK'])))
            self.unshared_buffers = ['own']

        def forward(self, inputs, mode):
            return dict(loss=self.layers(torch.stack(inputs)).square().mean())


    @HOOKS.register_module()
    class ChangeOne(Hook):
        def after_train_iter(self, runner, *_, **__):
            if runner.iter == 2 and runner.rank == 1:
                runner.model.module.layers[0].bias.data[1] += 1e-6


    config = Config(dict(
        model=dict(type='Toy'),
        train_dataloader=dict(
            batch_size=2, num_workers=0, dataset=dict(type='Numbers'),
            sampler=dict(type='InfiniteSampler', shuffle=True),
        ),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        train_cfg=dict(by_epoch=False, max_iters=8),
        default_hooks=dict(
            checkpoint=dict(
                type='muscle_mm.AtomicCheckpointHook', by_epoch=False, interval=2,
                max_keep_ckpts=1,
            ),
        ),
        custom_hooks=[dict(type='ChangeOne')],
        randomness=dict(seed=0),
        launcher='pytorch',
        log_level='ERROR',
        work_dir=sys.argv[1],
    ))
    prepare_processes_on_cpu(config)
    runner = Runner.from_cfg(config)
    try:
        runner.train()
    except UserError as error:
        print('told:', error)
    model = runner.model.module
    for name in ('flags', 'sixteen_bits'):
        model.layers[0].bias.data.zero_()
        refuse_different_weights(model)  # the statistics of BatchNorm are other ones
        buffer = model.get_buffer(name)
        buffer[-1] = dist.get_rank()
        try:
            refuse_different_weights(model)
        except UserError as error:
            print('told:', error)
        buffer[-1] = 0
    sys.stdout.flush()
    dist.barrier()
    os._exit(0)  # threads of gloo that are still there would abort the interpreter
"""


def test_weights_that_differ_are_told_and_not_saved(run_two_processes, tmp_path):
    work_dir = tmp_path / 'run'
    for output in run_two_processes(SCRIPT, work_dir):
        told = [line for line in output.splitlines() if line.startswith('told:')]
        assert [line.split('; the first is ')[1].split(', in which')[0] for line in told] == [
            'layers.0.bias',
            'flags',
            'sixteen_bits',
        ]
        assert 'told: 1 of 7 weights are not the same in all processes' in told[0]
        assert 'these differ from process 0: 1. No checkpoint is written.' in told[0]
    assert [path.name for path in work_dir.glob('*.pth')] == ['iter_2.pth']
    assert Path((work_dir / 'last_checkpoint').read_text()).name == 'iter_2.pth'

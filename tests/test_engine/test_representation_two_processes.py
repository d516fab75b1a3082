# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json

import cv2
import numpy as np

from muscle_mm.datasets.manifest import write_manifest

SCRIPT = """
    import os
    import sys

    import torch
    from mmengine.config import Config
    from mmengine.dataset import BaseDataset
    from mmengine.model import BaseModel
    from mmengine.runner import Runner

    from muscle_mm.command_line.processes_on_cpu import prepare_processes_on_cpu
    from muscle_mm.registry import DATASETS, MODELS
    from muscle_mm.utils.errors import UserError


    @DATASETS.register_module()
    class Films(BaseDataset):
        def load_data_list(self):
            return [dict() for _ in range(8)]

        def prepare_data(self, idx):
            return dict(inputs=torch.rand(3, 32, 32))


    @MODELS.register_module()
    class Toy(BaseModel):
        def __init__(self):
            super().__init__()
            self.backbone = torch.nn.Sequential(
                torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)
            )

        def forward(self, inputs, mode):
            return dict(loss=self.backbone(torch.stack(inputs)).square().mean())


    root, work_dir = sys.argv[1:]
    films = dict(type='muscle_mm.XrayDataset', data_root=root)
    for val_split in ('test', 'val'):
        config = Config(dict(
            model=dict(type='muscle_mm.Toy'),
            train_dataloader=dict(
                batch_size=2,
                num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=True),
                dataset=dict(type='muscle_mm.Films'),
            ),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
            train_cfg=dict(by_epoch=True, max_epochs=1),
            custom_hooks=[
                dict(
                    type='muscle_mm.RepresentationHook',
                    train=dict(films, split='train'),
                    val=dict(films, split=val_split),
                    mean=128, std=60, size=32, interval=1, num_workers=0, pictured_films=0,
                ),
            ],
            randomness=dict(seed=0),
            launcher='pytorch',
            log_level='ERROR',
            work_dir=f'{work_dir}/{val_split}',
        ))
        prepare_processes_on_cpu(config)
        try:
            Runner.from_cfg(config).train()
        except UserError as error:
            print('told:', error)
    sys.stdout.flush()
    torch.distributed.barrier()
    os._exit(0)  # threads of gloo that are still there would abort the interpreter
"""


def test_the_first_process_scores_and_the_other_waits_or_ends_with_it(run_two_processes, tmp_path):
    """The test split holds one film, on which nothing can be scored."""
    records = []
    for index in range(12):
        film = np.full((32, 32), 20 * index, dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f'{index}.png'), film)
        split = ('train', 'val')[index // 8]
        records.append(dict(img_path=f'{index}.png', split=split, gt_label=index % 2))
    records.append(dict(img_path='0.png', split='test', gt_label=0))
    metainfo = dict(dataset='Toy', task='classification', source_root='.')
    write_manifest(tmp_path / 'manifest.json', metainfo, records)
    for output in run_two_processes(SCRIPT, tmp_path, tmp_path / 'run'):
        assert output.count('told: RepresentationHook.val: all 1 films have the same label') == 1
    history = json.loads((tmp_path / 'run' / 'val' / 'representation.json').read_text())
    assert [row['iteration'] for row in history] == [0, 2]

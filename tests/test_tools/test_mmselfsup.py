# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""MD-MoCo under mmselfsup 1.0.0, in an environment of its own: mmpretrain has replaced it.

``pip install torch torchvision mmselfsup==1.0.0 mmcls==1.0.0rc6 mmengine==0.10.7 mmcv-lite==2.0.1``
and this package make one; nothing is compiled.
"""

import subprocess
import sys
import textwrap
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

mmselfsup = pytest.importorskip('mmselfsup', reason='needs an environment of its own')

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
STOCK_TRAIN = Path(mmselfsup.__file__).parent / '.mim' / 'tools' / 'train.py'


def test_trains_under_its_own_tool(run_tool, tmp_path):
    generator = np.random.default_rng(0)
    (tmp_path / 'films').mkdir()
    for index in range(11):
        film = generator.integers(0, 256, (48, 40), dtype=np.uint8)
        Image.fromarray(film).save(tmp_path / 'films' / f'{index}.png')
    assert (
        run_tool('prepare_dataset.py', 'XrayFolder', '--src', tmp_path / 'films', '--out', tmp_path)
        == 0
    )
    config = tmp_path / 'config.py'
    config.write_text(
        textwrap.dedent(
            f"""
            _base_ = ['{CONFIGS}/md_moco/md-moco_resnet18_1xb128-200e_xray9-224px_mmselfsup.py']
            model = dict(
                backbone=dict(base_channels=8, stem_channels=8),
                neck=dict(in_channels=64, hid_channels=16, out_channels=8),
                feature_dim=8,
                queue_len=30,
                bn_splits=2,
            )
            train_dataloader = dict(
                batch_size=4,
                num_workers=0,
                persistent_workers=False,
                drop_last=False,
                dataset=dict(
                    datasets=[dict(type='muscle_mm.XrayDataset', data_root='{tmp_path}')] * 2,
                    pipeline=[
                        dict(type='muscle_mm.LoadXray'),
                        dict(type='muscle_mm.XrayViews', size=32),
                    ],
                ),
            )
            train_cfg = dict(max_epochs=2)
            """
        )
    )
    work_dir = tmp_path / 'run'
    done = subprocess.run(
        [sys.executable, str(STOCK_TRAIN), str(config), '--work-dir', str(work_dir)],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    weights = torch.load(work_dir / 'epoch_2.pth', weights_only=True)['state_dict']
    assert int(weights['queue.position']) == 44 % 30
    different = weights['backbone.conv1.weight'] - weights['momentum_backbone.conv1.weight']
    assert different.abs().max() > 0


def test_its_moco_has_the_same_loss_after_conversion():
    from mmengine.registry import MODELS, DefaultScope

    from muscle_mm.models.moco_checkpoints import md_moco_to_moco, moco_to_md_moco

    networks = dict(
        backbone=dict(type='mmcls.ResNet', depth=18, base_channels=4, stem_channels=4),
        neck=dict(
            type='mmselfsup.MoCoV2Neck',
            in_channels=32,
            hid_channels=16,
            out_channels=8,
            with_avg_pool=True,
        ),
        queue_len=12,
    )
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmselfsup'):
        theirs = MODELS.build(
            dict(
                type='mmselfsup.MoCo',
                **deepcopy(networks),
                feat_dim=8,
                head=dict(
                    type='mmselfsup.ContrastiveHead',
                    loss=dict(type='mmcls.CrossEntropyLoss'),
                    temperature=0.2,
                ),
            )
        )
        ours = MODELS.build(
            dict(type='muscle_mm.MDMoCo', **deepcopy(networks), feature_dim=8, bn_splits=1)
        )
    ours.updated_by_hook = True
    views = [torch.randn(4, 3, 64, 64) for _ in range(2)]
    theirs(views, [], mode='loss')  # at its first step its momentum encoder becomes a copy
    ours.load_state_dict(moco_to_md_moco(theirs.state_dict(), 'moco.pth'))
    expected = ours(inputs=views, mode='loss')['loss'].item()
    back = md_moco_to_moco(ours.state_dict(), 'ours.pth')
    assert theirs(views, [], mode='loss')['loss'].item() == pytest.approx(expected, rel=1e-4)
    theirs.load_state_dict(back)
    assert int(theirs.queue_ptr) == 4

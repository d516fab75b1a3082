# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from muscle_mm.datasets.manifest import write_manifest
from muscle_mm.pipeline.measure import measure_rates
from muscle_mm.pipeline.stage import Stage
from muscle_mm.pipeline.steps import config_path
from muscle_mm.utils.errors import UserError

pytest.importorskip('mmpretrain')


@pytest.fixture
def stage(tmp_path):
    """A fine-tuning on twelve films of eight pixels."""
    root = tmp_path / 'data' / 'pneumonia'
    root.mkdir(parents=True)
    records = []
    for number in range(12):
        Image.fromarray(np.full((8, 8), 20 * number, np.uint8)).save(root / f'{number}.png')
        records.append(
            {
                'img_path': f'{number}.png',
                'patient_id': str(number),
                'split': 'train',
                'height': 8,
                'width': 8,
                'gt_label': number % 2,
            }
        )
    metainfo = {'classes': ['a', 'b'], 'task': 'classification', 'source_root': str(root)}
    write_manifest(root / 'manifest.json', metainfo, records)
    options = (
        *('train_dataloader.batch_size=2', 'train_dataloader.num_workers=0'),
        *('train_dataloader.persistent_workers=False', 'model.backbone.base_channels=4'),
        *('model.backbone.stem_channels=4', 'model.head.in_channels=32'),
        # It is yet to be made, and does not matter to the time.
        f'model.backbone.init_cfg.checkpoint={{last:{tmp_path / "nowhere"}}}',
    )
    return Stage(
        'finetune/pneumonia/resnet18/muscle/seed0',
        'step 3: pneumonia',
        ('python', 'train.py', 'config.py', '--cfg-options', *options),
        config=config_path('pneumonia', 18, 'muscle'),
        environment={'MUSCLE_DATA_ROOT': str(tmp_path / 'data'), 'MUSCLE_IMAGE_SIZE': '32'},
        kind='pneumonia/resnet18',
    )


def test_real_iterations_are_timed_once(stage, tmp_path, capsys):
    path = tmp_path / 'logs' / 'rates.json'
    path.parent.mkdir()
    stages = [Stage('data', 'data', ('no', 'training'), kind='data'), stage]
    rates = measure_rates(stages, path)
    assert 0 < rates['pneumonia/resnet18'] < 30
    assert rates.keys() == {'pneumonia/resnet18'}
    assert json.loads(path.read_text()) == rates
    assert 'pneumonia/resnet18: ' in capsys.readouterr().out
    # Nothing is left of it, and it is not done again: this one could not be.
    assert [file.name for file in path.parent.iterdir()] == ['rates.json']
    again = replace(stage, environment={'MUSCLE_DATA_ROOT': 'nowhere'})
    assert measure_rates([again], path) == rates


def test_what_cannot_be_measured_is_an_error(stage, tmp_path, monkeypatch):
    failing = tmp_path / 'python'
    failing.write_text('#!/bin/sh\necho "Error: no films"\nexit 1\n')
    failing.chmod(0o755)
    monkeypatch.setattr(sys, 'executable', str(failing))
    with pytest.raises(UserError, match='step 3: pneumonia: cannot be measured: no films'):
        measure_rates([stage], tmp_path / 'rates.json')

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The continual schedule through tools/dist_train.sh."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner

from muscle_mm.engine.schedule_record import SCHEDULE
from muscle_mm.utils.safe_loading import load_checkpoint_file

pytest.importorskip('mmpretrain')

ROOT = Path(__file__).resolve().parents[2]

PARTS = f"""
import importlib.util
import os
import signal
import sys

from mmengine.hooks import Hook
from mmengine.registry import HOOKS

specification = importlib.util.spec_from_file_location(
    'continual_parts', {str(Path(__file__).with_name('conftest.py'))!r}
)
specification.loader.exec_module(importlib.util.module_from_spec(specification))


@HOOKS.register_module()
class EndSecondProcess(Hook):
    def __init__(self, how):
        self.how = how

    def before_train_iter(self, runner, *_, **__):
        if runner.iter == 3 and runner.rank == 1:
            if self.how == 'kill':
                os.kill(os.getpid(), signal.SIGKILL)
            raise RuntimeError('only here')
"""


def simplify(config):
    """Frozen BatchNorm statistics, as SyncBatchNorm needs a GPU, and a rate that suits them."""
    config['model']['backbone']['norm_eval'] = True
    config['optim_wrapper']['optimizer'] = dict(
        type='SGD', lr=0.01, momentum=0.9, weight_decay=0.01
    )
    config['default_hooks'] = dict(
        checkpoint=dict(type='muscle_mm.AtomicCheckpointHook', by_epoch=False, interval=100)
    )


@pytest.fixture
def dist_train(tmp_path):
    """Train a config with two processes through the shell script."""

    def run(config):
        (tmp_path / 'two_process_parts.py').write_text(PARTS)
        imports = dict(imports=['muscle_mm', 'two_process_parts'], allow_failed_imports=False)
        path = tmp_path / 'config.py'
        config = dict(config, custom_imports=imports, find_unused_parameters=True)
        # Not mmengine's dump, which sorts the tasks.
        path.write_text('\n'.join(f'{key} = {value!r}' for key, value in config.items()))
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            port = probe.getsockname()[1]
        return subprocess.run(
            [
                str(ROOT / 'tools' / 'dist_train.sh'),
                str(path),
                '2',
                f'--work-dir={config["work_dir"]}',
            ],
            env={
                **os.environ,
                'PYTHON': sys.executable,
                'PORT': str(port),
                'PYTHONPATH': f'{tmp_path}{os.pathsep}{os.environ.get("PYTHONPATH", "")}',
                'OMP_NUM_THREADS': '1',
                'CUDA_VISIBLE_DEVICES': '',
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def test_two_halves_of_a_batch_are_the_whole(dist_train, continual_config_of, tmp_path):
    """Weights, memory and scores; sizes of 7 and 5 films do not divide."""
    configs = {}
    for name, batch_size in (('one', 4), ('two', 2)):
        config = configs[name] = continual_config_of(tmp_path / name / 'run')
        simplify(config)
        config['train_dataloader']['batch_size'] = batch_size
        for loader in ('train_dataloader', 'val_dataloader'):
            sizes = config[loader]['dataset']['datasets']
            sizes['chest']['size'], sizes['bone']['size'] = 7, 5
    done = dist_train(configs['two'])
    assert done.returncode == 0, done.stderr[-3000:]
    torch.manual_seed(0)
    Runner(**configs['one']).train()
    one, two = (
        load_checkpoint_file(tmp_path / name / 'run' / 'iter_10.pth') for name in ('one', 'two')
    )
    assert one['meta'][SCHEDULE] == two['meta'][SCHEDULE]
    for name, value in one['state_dict'].items():
        torch.testing.assert_close(two['state_dict'][name], value, atol=1e-5, rtol=1e-4, msg=name)
    moved = (
        one['state_dict']['backbone.conv1.weight']
        - one['state_dict']['memory.teacher.conv1.weight']
    )
    assert moved.abs().max() == 0  # remembered at the end
    scores = [
        json.loads((tmp_path / name / 'run' / 'continual_scores.json').read_text())['visits']
        for name in ('one', 'two')
    ]
    assert [row['scores'] for row in scores[0]] == [
        pytest.approx(row['scores']) for row in scores[1]
    ]


@pytest.mark.parametrize(
    ('how', 'told'), [('kill', 'Signal 9 (SIGKILL)'), ('raise', 'RuntimeError: only here')]
)
def test_a_process_that_ends_brings_the_job_down(
    dist_train, continual_config_of, tmp_path, how, told
):
    config = continual_config_of(tmp_path / 'run' / 'run')
    simplify(config)
    config['custom_hooks'].append(dict(type='EndSecondProcess', how=how))
    done = dist_train(config)
    assert done.returncode != 0
    assert told in done.stderr
    root_cause = done.stderr.split('Root Cause (first observed failure):')[1]
    assert 'rank      : 1 ' in root_cause
    assert 'Error: a process has ended early; its rank and exit code are under "Root' in root_cause
    assert f'The log is below {tmp_path}/run/run' in root_cause

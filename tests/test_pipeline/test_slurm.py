# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import os
import sys

from muscle_mm.pipeline.ledger import Ledger
from muscle_mm.pipeline.runner import PipelineRunner
from muscle_mm.pipeline.stage import Stage


def test_trainings_go_through_srun_and_nothing_else_does(tmp_path, monkeypatch):
    srun = tmp_path / 'bin' / 'srun'
    srun.parent.mkdir()
    srun.write_text(
        f'#!/bin/sh\necho "$OMP_NUM_THREADS" "$@" >> {tmp_path}/srun.txt\n'
        f'echo "$MASTER_PORT" > {tmp_path}/port.txt\n'
    )
    srun.chmod(0o755)
    monkeypatch.setenv('PATH', f'{srun.parent}{os.pathsep}{os.environ["PATH"]}')
    monkeypatch.setenv('SRUN_ARGS', '--time=1:00')
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    monkeypatch.delenv('MASTER_PORT', raising=False)
    config = tmp_path / 'config.py'
    config.write_text('a = 1\n')
    note = f'open({str(tmp_path / "here.txt")!r}, "w")'
    train = ('python', 'train.py', str(config), '--work-dir', str(tmp_path / 'work'))
    stages = [
        Stage('data', 'data', (sys.executable, '-c', note)),
        Stage(
            'finetune/lung/muscle',
            'tune',
            (*train, '--cfg-options', 'a=2'),
            config=config,
            resume_options=('--resume',),
        ),
    ]
    ledger = Ledger(tmp_path / 'state', stages)
    ledger.mark(stages[1], 'started')
    logs = tmp_path / 'logs'
    logs.mkdir()
    PipelineRunner(stages, ledger, logs, 2, tmp_path, partition='gpus').run()
    assert (tmp_path / 'here.txt').exists()
    [line] = (tmp_path / 'srun.txt').read_text().splitlines()
    # No number of threads: those of this machine say nothing about the cluster's.
    assert line.startswith(' --partition=gpus ')
    words = line.split()
    assert {'--job-name=finetune-lung-muscle', '--gres=gpu:1', '--ntasks=1', '--time=1:00'} <= set(
        words
    )
    tool = next(place for place, word in enumerate(words) if word.endswith('tools/train.py'))
    assert words[tool - 2] == sys.executable
    assert words[tool + 1 :] == [
        *(str(config), '--work-dir', str(tmp_path / 'work'), '--launcher', 'none'),
        *('--cfg-options', 'a=2', '--resume'),
    ]
    assert ledger.is_done(stages[1])
    # Not the one that all jobs of a node would have by themselves.
    assert 20000 <= int((tmp_path / 'port.txt').read_text()) < 40000

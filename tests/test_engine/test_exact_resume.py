# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A run that was killed ends as the run that was not."""

import json
import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from muscle_mm.engine.schedule_record import SCHEDULE, refuse_other_schedule, schedule_record
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.safe_loading import load_checkpoint_file

pytest.importorskip('mmpretrain')

FOOT = dict(type='muscle_mm.RandomFilms', size=2)
SCRIPT = Path(__file__).with_name('killed_runs.py')


def differences(first, second, where=''):
    """Name all places in which two nested containers of tensors and numbers differ."""
    if isinstance(first, dict):
        assert first.keys() == second.keys(), where
        return [
            place
            for key in first
            for place in differences(first[key], second[key], f'{where}/{key}')
        ]
    if isinstance(first, (list, tuple)):
        assert len(first) == len(second), where
        pairs = enumerate(zip(first, second, strict=True))
        return [place for key, pair in pairs for place in differences(*pair, f'{where}/{key}')]
    if isinstance(first, torch.Tensor):
        return [] if torch.equal(first, second) else [where]
    return [] if first == second else [where]


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='its processes are forked')
def test_killed_at_many_points(tmp_path):
    """In a visit, while saving, between visit and validation, in the middle of a validation."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path)],
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': ''},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    folders = [tmp_path / name / 'run' for name in ('whole', 'killed')]
    whole, killed = (load_checkpoint_file(folder / 'iter_18.pth') for folder in folders)
    for part in ('state_dict', 'optimizer', 'param_schedulers'):
        assert differences(whole[part], killed[part]) == [], part
    assert any(key.startswith('memory.teacher.') for key in whole['state_dict'])
    rates = [
        checkpoint['message_hub']['log_scalars']['train/lr'].data[0]
        for checkpoint in (whole, killed)
    ]
    assert len(rates[0]) == 18
    assert np.array_equal(*rates)
    scores = [(folder / 'continual_scores.json').read_text() for folder in folders]
    assert scores[0] == scores[1]
    assert [row['visit'] for row in json.loads(scores[0])['visits']] == list(range(6))
    assert [path.name for path in folders[1].glob('*.pth')] == ['iter_18.pth']


def changed(config, key, value):
    """Set a value in a copy of a config, by its dotted path."""
    copy = Config(dict(part=config))
    copy.merge_from_dict({f'part.{key}': value})
    return copy.to_dict()['part']


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        ('dataset.datasets.hand.size', 6, r'each task: saved chest=8, bone=6, hand=4, now chest=8'),
        (
            'dataset.datasets.foot',
            FOOT,
            r'tasks: saved chest, bone, hand, now chest, bone, h',
        ),
        ('batch_size', 4, r'over all processes: saved chest=2, bone=2, hand=2, now chest=4'),
        ('batch_sampler.seed', 4, r'seed of the schedule: saved 3, now 4\. Config key: train_data'),
        ('batch_sampler.rounds', 3, r'visits \(task:iterations\): saved \w+:\d.* now .*rounds'),
        ('batch_sampler.reshuffle', False, r'visits .*now chest:4 bone:3 hand:2 chest:4 bone:3'),
    ],
)
def test_another_schedule_is_refused(run_continual, key, value, message):
    first = run_continual(train=False)
    loader_config = deepcopy(first._train_dataloader)
    meta = {'iter': 7, SCHEDULE: schedule_record(first.train_loop)}
    refuse_other_schedule({'meta': meta}, first.train_loop)
    loader = changed(loader_config, key, value)
    second = run_continual(train=False, train_dataloader=loader)
    with pytest.raises(UserError, match=message) as error:
        refuse_other_schedule({'meta': meta}, second.train_loop)
    assert 'load_from=CHECKPOINT without resume' in str(error.value)
    assert 'checkpoint (iteration 7)' in str(error.value)


def test_a_checkpoint_of_no_schedule_is_refused(run_continual):
    loop = run_continual(train=False).train_loop
    for checkpoint in ({'meta': {'iter': 7}}, {}):
        with pytest.raises(UserError, match='does not say which schedule it belongs to'):
            refuse_other_schedule(checkpoint, loop)


def test_another_seed_is_refused_but_may_start_from_the_weights(run_continual):
    unmeasured = dict(val_cfg=None, val_dataloader=None, val_evaluator=None)
    checkpoint = Path(run_continual(**unmeasured).work_dir) / 'iter_7.pth'
    with pytest.raises(UserError, match=r'seed of the run: saved 0, now 1\. Config key: random'):
        run_continual(resume_from=checkpoint, randomness=dict(seed=1), **unmeasured)
    runner = run_continual(load_from=str(checkpoint), randomness=dict(seed=1), **unmeasured)
    assert runner.iter == 18


def test_a_missing_validation_is_made_up_for_once(run_continual):
    """Iteration 18 is the end of the last visit: its checkpoint is older than its validation."""
    whole = run_continual()
    scores = [(Path(whole.work_dir) / 'continual_scores.json').read_text()]
    resumed = run_continual(resume_from=Path(whole.work_dir) / 'iter_18.pth')
    scores.append((Path(resumed.work_dir) / 'continual_scores.json').read_text())
    assert scores[0] == scores[1]
    resumed.save_checkpoint(
        resumed.work_dir, 'validated.pth', by_epoch=False, meta=dict(iter=18, epoch=0)
    )
    again = run_continual(resume_from=Path(resumed.work_dir) / 'validated.pth')
    logs = Path(again.work_dir).glob('*/vis_data/scalars.json')
    assert not any('binary/auc' in log.read_text() for log in logs)
    # A kill may have come between that checkpoint and the file of the scores.
    rows = [json.loads(text)['visits'] for text in scores]
    written = json.loads((Path(again.work_dir) / 'continual_scores.json').read_text())
    assert written['visits'] == rows[0]
    assert (Path(again.work_dir) / 'continual_scores.png').is_file()


def test_validating_does_not_change_what_follows(run_continual):
    class Draws(torch.nn.Module):
        def forward(self, inputs):
            return inputs + torch.rand(()) + torch.randn(()) * self.training

    weights = []
    for validation in ({}, dict(val_cfg=None, val_dataloader=None, val_evaluator=None)):
        runner = run_continual(train=False, **validation)
        runner.model.tasks['chest'].neck.gap = torch.nn.Sequential(
            runner.model.tasks['chest'].neck.gap, Draws()
        )
        runner.train()
        weights.append(runner.model.state_dict())
    assert differences(*map(dict, weights)) == []

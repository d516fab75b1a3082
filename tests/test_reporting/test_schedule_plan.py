# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from copy import deepcopy

import pytest
from PIL import Image

from muscle_mm.reporting.schedule_picture import draw_schedule
from muscle_mm.reporting.schedule_plan import plan_schedule
from muscle_mm.utils.errors import UserError

SIZES = dict(lung=17, knee=8)
CONFIG = dict(
    train_dataloader=dict(
        batch_size=dict(lung=4, knee=8),
        batch_sampler=dict(
            type='muscle_mm.CyclicTaskBatchSampler',
            rounds=2,
            epochs_per_visit=dict(lung=1, knee=3),
            reshuffle=False,
        ),
        dataset=dict(
            type='muscle_mm.MultiTaskDataset',
            datasets=dict(
                lung=dict(type='muscle_mm.XrayDataset', data_root='nowhere'),
                knee=dict(type='muscle_mm.XrayDataset', data_root='nowhere'),
            ),
        ),
    ),
    optim_wrapper=dict(optimizer=dict(type='AdamW', lr=0.01)),
    param_scheduler=[
        dict(
            type='muscle_mm.CyclicRestartLR',
            warmup_iters=1,
            round_decay=0.5,
            task_factors=dict(knee=0.1),
        )
    ],
)
TEXT = """\
visit  round  task  iterations  from  to  epochs  peak lr
    1      1  lung           5     1   5       1     0.01
    2      1  knee           3     6   8       3    0.001
    3      2  lung           5     9  13       1    0.005
    4      2  knee           3    14  16       3   0.0005

task  films  batch  visits  iterations  epochs
lung     17      4       2          10       2
knee      8      8       2           6       6
all                      4          16
"""


def changed(key, value):
    config = deepcopy(CONFIG)
    place = config
    *path, last = key.split('.')
    for part in path:
        place = place[part]
    place[last] = value
    return config


def test_visits_tasks_and_rates():
    plan = plan_schedule(CONFIG, SIZES)
    assert plan.to_text() == TEXT
    assert plan.iterations == dict(lung=10, knee=6)
    assert len(plan.rates) == 16
    assert plan.rates[:2] == pytest.approx([0.005, 0.01])


def test_processes_share_the_films():
    plan = plan_schedule(CONFIG, SIZES, processes=2)
    assert plan.iterations == dict(lung=6, knee=6)  # 9 films each, and 4 each
    assert plan.sizes == SIZES


def test_schedulers_of_mmengine_are_stepped_as_well():
    config = changed('param_scheduler', dict(type='StepLR', step_size=8, gamma=0.1, by_epoch=False))
    assert plan_schedule(config, SIZES).rates == pytest.approx([0.01] * 8 + [0.001] * 8)


def test_without_a_scheduler_the_rate_is_constant():
    assert set(plan_schedule(changed('param_scheduler', None), SIZES).rates) == {0.01}


def test_sizes_come_from_the_data_sets_of_the_config(monkeypatch):
    from muscle_mm.datasets import XrayDataset

    films = dict(there=17, here=8)
    monkeypatch.setattr(
        XrayDataset, '__init__', lambda self, data_root, pipeline: setattr(self, 'root', data_root)
    )
    monkeypatch.setattr(XrayDataset, '__len__', lambda self: films[self.root])
    config = changed('train_dataloader.dataset.datasets.lung.data_root', 'there')
    config['train_dataloader']['dataset']['datasets']['knee']['data_root'] = 'here'
    assert plan_schedule(config).to_text() == TEXT


def test_data_that_are_not_there_are_explained():
    with pytest.raises(UserError, match=r'(?s)nowhere.*Without the data.*--sizes lung=N knee=N'):
        plan_schedule(CONFIG)


@pytest.mark.parametrize(
    ('key', 'value', 'sizes', 'message'),
    [
        ('train_dataloader', None, SIZES, 'no schedule to show'),
        ('train_dataloader.batch_sampler', dict(type='BatchSampler'), SIZES, 'no schedule to show'),
        ('train_dataloader.dataset', dict(type='CIFAR10'), SIZES, 'no schedule to show'),
        ('optim_wrapper', {}, SIZES, r'no optim_wrapper\.optimizer\.lr'),
        ('work_dir', '', dict(lung=17), r"--sizes has the tasks \['lung'\], .*\['knee', 'lung'\]"),
        ('work_dir', '', dict(lung=17, knee=0), '--sizes knee=0: a task needs at least 1 film'),
    ],
)
def test_what_cannot_be_shown_is_explained(key, value, sizes, message):
    with pytest.raises(UserError, match=message):
        plan_schedule(changed(key, value), sizes)


def test_less_than_one_process_is_refused():
    with pytest.raises(UserError, match='--processes 0'):
        plan_schedule(CONFIG, SIZES, processes=0)


def test_picture(tmp_path):
    draw_schedule(plan_schedule(CONFIG, SIZES), tmp_path / 'schedule.png', {'lung': 'Lung'})
    picture = Image.open(tmp_path / 'schedule.png').convert('L')
    assert picture.width > 1000
    assert picture.getextrema()[0] < 100

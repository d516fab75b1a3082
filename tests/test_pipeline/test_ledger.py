# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import os
from dataclasses import replace

import pytest

from muscle_mm.pipeline.ledger import Ledger
from muscle_mm.pipeline.stage import Stage
from muscle_mm.utils.errors import UserError


@pytest.fixture
def stages(tmp_path):
    config = tmp_path / 'config.py'
    config.write_text("lr = 1\nroot = '{{$MUSCLE_DATA_ROOT:data}}'\n")
    return [
        Stage('data', 'data', ('make',)),
        Stage('train', 'train', ('train',), after=('data',), config=config),
    ]


def test_marks_are_remembered(tmp_path, stages):
    ledger = Ledger(tmp_path / 'state', stages)
    assert not ledger.is_done(stages[0])
    ledger.mark(stages[0], 'started')
    assert ledger.was_interrupted(stages[0])
    ledger.mark(stages[0], 'done')
    again = Ledger(tmp_path / 'state', stages)
    assert again.is_done(stages[0])
    assert not again.was_interrupted(stages[0])
    again.forget(stages)
    assert not again.is_done(stages[0])


@pytest.mark.parametrize('change', ['command', 'config', 'base', 'before', 'environment', 'code'])
def test_a_change_anywhere_takes_the_mark_away(tmp_path, stages, change):
    code = tmp_path / 'code'
    code.mkdir()
    (code / 'part.py').write_text('a = 1')
    base = tmp_path / 'base.py'
    base.write_text('batch = 1')
    stages[1].config.write_text(
        "_base_ = ['base.py']\nlr = 1\nroot = '{{$MUSCLE_DATA_ROOT:data}}'\n"
    )
    stages[1] = replace(stages[1], code=(code,))
    ledger = Ledger(tmp_path / 'state', stages)
    for stage in stages:
        ledger.mark(stage, 'done')
    if change == 'command':
        stages[1] = replace(stages[1], command=('train', '--fast'))
    elif change == 'config':
        stages[1].config.write_text("_base_ = ['base.py']\nlr = 2\n")
    elif change == 'base':
        base.write_text('batch = 2')
    elif change == 'before':
        stages[0] = replace(stages[0], command=('make', 'more'))
    elif change == 'environment':
        stages[1] = replace(stages[1], environment={'MUSCLE_DATA_ROOT': 'other'})
    else:
        (code / 'part.py').write_text('a = 2')
    changed = Ledger(tmp_path / 'state', stages)
    assert not changed.is_done(stages[1])
    assert changed.is_done(stages[0]) == (change != 'before')


def test_reading_configs_leaves_the_environment_as_it_is(tmp_path, stages):
    before = dict(os.environ)
    Ledger(tmp_path, [stages[0], replace(stages[1], environment={'MUSCLE_DATA_ROOT': 'x'})])
    assert dict(os.environ) == before


def test_a_missing_config_is_named(tmp_path):
    stage = Stage('train', 'train', ('train',), config=tmp_path / 'nowhere.py')
    with pytest.raises(UserError, match=r'nowhere\.py does not exist'):
        Ledger(tmp_path, [stage])


def test_a_damaged_mark_does_not_count(tmp_path, stages):
    ledger = Ledger(tmp_path, stages)
    (tmp_path / 'data.json').write_text('{"key"')
    assert not ledger.is_done(stages[0])


def test_a_stage_whose_folder_was_deleted_is_not_done(tmp_path, stages):
    work_dir = tmp_path / 'work'
    stage = replace(stages[0], work_dir=work_dir)
    ledger = Ledger(tmp_path / 'state', [stage])
    ledger.mark(stage, 'done')
    assert not ledger.is_done(stage)
    work_dir.mkdir()
    assert ledger.is_done(stage)


def test_durations_are_kept_by_kind(tmp_path, stages):
    stages = [
        *stages,
        *(
            Stage(f'tune{seed}', 'tune', ('t', str(seed)), kind='mura/resnet18')
            for seed in range(4)
        ),
    ]
    ledger = Ledger(tmp_path, stages)
    assert ledger.durations() == {}
    ledger.mark(stages[0], 'done', 5.0)  # of no kind
    ledger.mark(stages[2], 'done', 60.0)
    ledger.mark(stages[3], 'done', 70.5)
    ledger.mark(stages[4], 'done')  # it had been interrupted
    ledger.mark(stages[5], 'started')
    assert Ledger(tmp_path, stages[:1]).durations() == {'mura/resnet18': [60.0, 70.5]}


def test_code_may_be_a_single_file(tmp_path, stages):
    code = tmp_path / 'part.py'
    code.write_text('a = 1')
    stage = replace(stages[0], code=(code,))
    before = Ledger(tmp_path, [stage]).keys
    code.write_text('a = 2')
    assert Ledger(tmp_path, [stage]).keys != before

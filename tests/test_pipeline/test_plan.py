# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from muscle_mm.pipeline import plan
from muscle_mm.pipeline.plan import TASKS, make_plan, stock_tool
from muscle_mm.utils.errors import UserError

pytest.importorskip('mmpretrain', reason='the plan names its tools')
pytest.importorskip('mmseg', reason='the plan names its tools')
pytest.importorskip('mmdet', reason='the plan names its tools')


def test_every_stage_comes_after_those_it_needs(tmp_path):
    stages = make_plan('demo', tmp_path)
    seen = set()
    for stage in stages:
        assert seen.issuperset(stage.after), stage.name
        assert stage.name not in seen
        seen.add(stage.name)
    assert [stage.name for stage in stages[:3]] == ['data', 'md_moco', 'continual']
    assert stages[-1].name == 'report'
    assert len(stages[-1].after) == 2 * len(TASKS)


def test_the_stock_tool_of_each_toolbox_runs_its_task(tmp_path):
    stages = {stage.name: stage for stage in make_plan('demo', tmp_path)}
    for task, toolbox in (('mura', 'mmpretrain'), ('lung', 'mmseg'), ('tbx', 'mmdet')):
        tool = stages[f'finetune/{task}/muscle'].command[1]
        assert tool.endswith(f'{toolbox}/.mim/tools/train.py')


def test_the_initialisation_is_one_option(tmp_path):
    stages = {
        stage.name: stage for stage in make_plan('demo', tmp_path, None, ['scratch', 'muscle'])
    }
    muscle = stages['finetune/lung/muscle']
    expected = f'model.backbone.init_cfg.checkpoint={{last:{tmp_path / "continual"}}}'
    assert expected in muscle.command
    assert muscle.after == ('continual',)
    scratch = stages['finetune/lung/scratch']
    assert not any('init_cfg.checkpoint' in part for part in scratch.command)
    assert scratch.after == ('data',)


def test_steps_that_nothing_starts_from_are_left_out(tmp_path):
    names = {stage.name for stage in make_plan('demo', tmp_path, None, ['scratch'])}
    assert not names & {'md_moco', 'continual'}
    names = {stage.name for stage in make_plan('demo', tmp_path, None, ['md_moco'])}
    assert 'md_moco' in names
    assert 'continual' not in names


def test_all_configs_exist(tmp_path):
    for pipeline in ('demo', 'real'):
        for stage in make_plan(pipeline, tmp_path, tmp_path):
            assert stage.config is None or stage.config.is_file(), stage.config


def test_no_two_stages_own_one_folder(tmp_path):
    owned = [stage.work_dir for stage in make_plan('demo', tmp_path) if stage.work_dir]
    assert len(set(owned)) == len(owned)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('dream', Path('out')), "'dream' is unknown"),
        (('demo', Path('out'), None, ['resnet']), "initialisation 'resnet' is unknown"),
        (('real', Path('out')), 'folder of real films None does not exist. Name it with --data'),
        (('real', Path('out'), Path('/nowhere')), 'folder of real films /nowhere does not exist'),
    ],
)
def test_what_cannot_be_planned_is_one_message(arguments, message):
    with pytest.raises(UserError, match=message):
        make_plan(*arguments)


def test_a_missing_toolbox_is_named():
    with pytest.raises(UserError, match='package mmnothing is not installed'):
        stock_tool('mmnothing', 'train.py')
    with pytest.raises(UserError, match=r'fly\.py does not exist'):
        stock_tool('mmpretrain', 'fly.py')


def test_every_step_has_a_toolbox():
    assert {toolbox for toolbox, _ in plan.STEPS.values()} == {'mmpretrain', 'mmseg', 'mmdet'}

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
import torch

from muscle_mm.pipeline.budgets import BUDGETS
from muscle_mm.pipeline.plan import make_plan
from muscle_mm.pipeline.steps import (
    INITIALISATIONS,
    REPOSITORY,
    TASKS,
    TOOLBOXES,
    config_path,
    stock_tool,
)
from muscle_mm.pipeline.study import Study
from muscle_mm.pipeline.study_data import StudyData, find_data
from muscle_mm.utils.errors import UserError

pytest.importorskip('mmpretrain', reason='the plan names its tools')
pytest.importorskip('mmseg', reason='the plan names its tools')
pytest.importorskip('mmdet', reason='the plan names its tools')
pytest.importorskip('torchvision')

TRAINED = tuple(name for name in INITIALISATIONS if name != 'imagenet')
PREPARED = StudyData('/films', Path('/films'), nine_sets=True)


@pytest.fixture(autouse=True)
def hub(tmp_path, monkeypatch):
    """An empty cache of torch.hub."""
    monkeypatch.setattr(torch.hub, '_hub_dir', None)
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    return tmp_path / 'hub' / 'checkpoints'


@pytest.fixture
def plan_of(tmp_path):
    def plan(**changes):
        choices = {
            'out': tmp_path / 'out',
            'data': find_data('phantoms', tmp_path / 'out'),
            'budget': 'tiny',
            'initialisations': TRAINED,
        }
        return make_plan(Study(**{**choices, **changes}))

    return plan


def test_every_stage_comes_after_those_it_needs(plan_of):
    stages = plan_of(backbones=(18, 50), seeds=(0, 3)).stages
    seen = set()
    for stage in stages:
        assert seen.issuperset(stage.after), stage.name
        assert stage.name not in seen
        seen.add(stage.name)
    owned = [stage.work_dir for stage in stages if stage.work_dir]
    assert len(set(owned)) == len(owned)
    assert len(stages) == 1 + 4 * 3 + 4 * len(TRAINED) * len(TASKS) + 1
    assert stages[-1].name == 'report'
    assert stages[-1].tolerant
    assert len(stages[-1].after) == 4 * len(TRAINED) * len(TASKS)


def test_the_folders_are_those_of_a_study(plan_of, tmp_path):
    names = [stage.name for stage in plan_of(initialisations=('muscle',), seeds=(2,)).stages]
    assert names == [
        'data',
        'pretrain/resnet18/seed2/md_moco',
        'pretrain/resnet18/seed2/muscle',
        *(
            f'finetune/{task}/resnet18/muscle/seed2'
            for task in ('tbx', 'lung', 'mura', 'pneumonia')
        ),
        'report',
    ]
    for stage in plan_of().stages:
        assert stage.work_dir == tmp_path / 'out' / stage.name


def test_a_cell_starts_from_the_last_checkpoint_of_its_own_backbone_and_seed(plan_of, tmp_path):
    stages = {stage.name: stage for stage in plan_of(backbones=(50,), seeds=(0, 1)).stages}
    cell = stages['finetune/lung/resnet50/muscle_minus_minus/seed1']
    before = 'pretrain/resnet50/seed1/muscle_minus_minus'
    assert cell.after == (before,)
    start = f'model.backbone.init_cfg.checkpoint={{last:{tmp_path / "out" / before}}}'
    assert start in cell.command
    assert 'randomness.seed=1' in cell.command
    assert cell.config.name == 'deeplabv3_resnet50_muscle-minus-minus-pre_1xb8-50e_lung-224px.py'
    step_2 = stages[before]
    assert step_2.after == ('pretrain/resnet50/seed1/md_moco',)
    assert 'train_dataloader.batch_sampler.seed=1' in step_2.command
    assert f'{{last:{tmp_path / "out/pretrain/resnet50/seed1/md_moco"}}}' in step_2.command[-1]
    scratch = stages['finetune/lung/resnet50/scratch/seed1']
    assert not any('init_cfg.checkpoint' in part for part in scratch.command)
    assert scratch.after == ('data',)


def test_steps_that_nothing_starts_from_are_left_out(plan_of):
    def pretraining(*initialisations):
        stages = plan_of(initialisations=initialisations).stages
        return [s.name.split('/')[-1] for s in stages if s.name.startswith('pretrain')]

    assert pretraining('scratch') == []
    assert pretraining('md_moco', 'scratch') == ['md_moco']
    assert pretraining('muscle') == ['md_moco', 'muscle']


@pytest.mark.parametrize('depth', [18, 50])
def test_imagenet_is_left_out_with_a_note_where_its_file_is_missing(plan_of, hub, tmp_path, depth):
    name = {18: 'resnet18-f37072fd.pth', 50: 'resnet50-0676ba61.pth'}[depth]
    choices = {'backbones': (depth,), 'initialisations': ('scratch', 'imagenet')}
    plan = plan_of(**choices)
    assert not any('imagenet' in stage.name for stage in plan.stages)
    assert f'{hub / name} is not there' in plan.notes[0]
    hub.mkdir(parents=True)
    (hub / name).touch()
    plan = plan_of(**choices)
    assert plan.notes == []
    [cell] = [s for s in plan.stages if f'mura/resnet{depth}/imagenet' in s.name]
    assert cell.command[-1] == f'model.backbone.init_cfg.checkpoint=torchvision://resnet{depth}'
    assert cell.after == ('data',)
    (tmp_path / 'weights').mkdir()
    plan = plan_of(**choices, imagenet=tmp_path / 'weights')
    assert f'{tmp_path / "weights" / name} is not there' in plan.notes[0]
    (tmp_path / 'weights' / name).touch()
    plan = plan_of(**choices, imagenet=tmp_path / 'weights')
    [cell] = [s for s in plan.stages if f'mura/resnet{depth}/imagenet' in s.name]
    assert cell.command[-1].endswith(f'checkpoint={tmp_path / "weights" / name}')


def test_a_plan_of_nothing_is_refused_with_the_reason(plan_of):
    with pytest.raises(UserError, match=r'nothing to fine-tune\.\nResNet-18 from ImageNet is left'):
        plan_of(initialisations=('imagenet',))


def test_the_full_budget_is_the_published_configs(plan_of):
    plan = plan_of(data=PREPARED, budget='full', backbones=(18, 50))
    assert plan.stages[0].name == 'pretrain/resnet18/seed0/md_moco'
    assert plan.stages[0].after == ()
    for stage in plan.stages[:-1]:
        options = stage.command[stage.command.index('--cfg-options') + 1 :]
        for option in options:
            key = option.partition('=')[0]
            assert key.endswith(('.seed', 'init_cfg.checkpoint')), option
        assert stage.environment == {'MUSCLE_DATA_ROOT': '/films'}


def test_other_films_than_the_nine_sets_have_their_own_config_and_titles(plan_of):
    films = StudyData('/films', Path('/films'), nine_sets=False)
    stages = {stage.name: stage for stage in plan_of(data=films, budget='small').stages}
    step_1 = stages['pretrain/resnet18/seed0/md_moco']
    assert step_1.config == REPOSITORY / (
        'configs/md_moco/md-moco_resnet18_1xb128-200e_folders-224px.py'
    )
    # Their boxes are left and right lungs.
    assert any(
        'pipeline.3.prob=0' in part for part in stages['pretrain/resnet18/seed0/muscle'].command
    )
    tbx = stages['finetune/tbx/resnet18/scratch/seed0']
    assert any('pipeline.3.prob=0' in part for part in tbx.command)
    report = stages['report'].command
    assert report[report.index('--titles') + 1 : report.index('--note')] == (
        'mura=Knee',
        'tbx=Lung boxes',
    )


def test_the_flip_that_is_turned_off_is_where_it_is_thought_to_be(plan_of):
    from muscle_mm.pipeline.estimate import stage_config

    films = StudyData('/films', Path('/films'), nine_sets=False)
    stages = {stage.name: stage for stage in plan_of(data=films, budget='small').stages}
    config = stage_config(stages['finetune/tbx/resnet18/scratch/seed0'])
    assert config.train_dataloader.dataset.pipeline[3] == dict(type='mmdet.RandomFlip', prob=0.0)
    config = stage_config(stages['pretrain/resnet18/seed0/muscle'])
    flip = config.train_dataloader.dataset.datasets.tbx.pipeline[3]
    assert flip == dict(type='mmdet.RandomFlip', prob=0.0)


@pytest.mark.parametrize('nine_sets', [True, False])
@pytest.mark.parametrize('depth', [18, 50])
def test_all_configs_exist(depth, nine_sets):
    for step in TOOLBOXES:
        for initialisation in INITIALISATIONS if step in TASKS else ('scratch',):
            path = config_path(step, depth, initialisation, nine_sets)
            assert path.is_file(), path


@pytest.mark.parametrize('budget', ['tiny', 'small'])
def test_both_variants_of_step_2_train_equally_long(budget):
    def epochs(step):
        options = dict(option.split('=') for option in BUDGETS[budget].options[step])
        sampler = 'train_dataloader.batch_sampler'
        return int(options[f'{sampler}.rounds']) * int(options[f'{sampler}.epochs_per_visit'])

    assert epochs('muscle') == epochs('muscle_minus_minus')


def test_the_stock_tool_of_each_toolbox_runs_its_task(plan_of):
    stages = {stage.name: stage for stage in plan_of().stages}
    for task, toolbox in (('mura', 'mmpretrain'), ('lung', 'mmseg'), ('tbx', 'mmdet')):
        tool = stages[f'finetune/{task}/resnet18/muscle/seed0'].command[1]
        assert tool.endswith(f'{toolbox}/.mim/tools/train.py')


def test_a_missing_toolbox_is_named():
    with pytest.raises(UserError, match='package mmnothing is not installed'):
        stock_tool('mmnothing', 'train.py')
    with pytest.raises(UserError, match=r'fly\.py does not exist'):
        stock_tool('mmpretrain', 'fly.py')

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Every published config can be read, and its model built, in its own default scope."""

from functools import cache
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope, init_default_scope

from muscle_mm.reporting.schedule_plan import plan_schedule

for toolbox in ('mmpretrain', 'mmseg', 'mmdet'):
    pytest.importorskip(toolbox)

ROOT = Path(__file__).parents[1] / 'configs'
CONFIGS = sorted(path for path in ROOT.glob('*/**/*.py') if '_base_' not in path.parts)


def test_there_is_one_for_each_step_and_depth():
    names = [path.relative_to(ROOT).as_posix() for path in CONFIGS]
    for step in (
        'md_moco',
        'continual',
        *(f'finetune/{t}' for t in ('pneumonia', 'mura', 'lung', 'tbx')),
    ):
        for depth in (18, 50):
            assert any(name.startswith(step) and f'resnet{depth}' in name for name in names)


# The others differ in a checkpoint's name alone, see below.
@pytest.mark.parametrize(
    'path', [path for path in CONFIGS if '-pre_' not in path.stem], ids=lambda path: path.stem
)
def test_model_is_buildable(path):
    config = Config.fromfile(path)
    pytest.importorskip(config.default_scope)
    with DefaultScope.overwrite_default_scope('mmengine'):
        init_default_scope(config.default_scope)
        model = MODELS.build(config.model)
    depth = 50 if 'resnet50' in path.stem else 18
    assert model.backbone.depth == depth
    assert config.model.backbone.init_cfg.checkpoint is None
    assert 'muscle_mm' in config.custom_imports.imports


@pytest.mark.parametrize(
    'path', [path for path in CONFIGS if path.parent.name == 'md_moco'], ids=lambda path: path.stem
)
def test_step_1_is_scored_where_a_labelled_set_is_sure_to_be_there(path):
    config = Config.fromfile(path)
    update, *scores = config.custom_hooks
    assert update.type == 'muscle_mm.MomentumUpdateHook'
    on_the_nine_sets = path.stem.endswith('xray9-224px')
    assert [hook.type for hook in scores] == ['muscle_mm.RepresentationHook'] * on_the_nine_sets
    for hook in scores:
        assert (hook.mean, hook.std) == (config.mean, config.std)
        roots = [item.data_root for item in config.train_dataloader.dataset.datasets]
        assert {hook.train.data_root, hook.val.data_root} < set(roots)
        assert (hook.train.split, hook.val.split) == ('train', 'val')


SCHEDULE = {'train_dataloader.batch_sampler', 'param_scheduler'}
#: what each variant of continual learning changes in MUSCLE
CHANGES = {
    'muscle': set(),
    'muscle-minus-minus': {'model.memory', *SCHEDULE},
    'memory-only': SCHEDULE,
    'schedule-only': {'model.memory'},
    'weight-anchor': {'model.memory'},
    'ewc': {'model.memory'},
    'ema-teacher': {'model.memory'},
    'batch-norm-frozen': {'model.batch_norm'},
    'batch-norm-shared': {'model.batch_norm'},
}
#: reading takes half a second
read = cache(Config.fromfile)
CONTINUAL = [path for path in CONFIGS if 'continual' in path.parts]


def muscle_of(path):
    depth = path.stem.split('_')[1]
    return read(ROOT / f'continual/muscle_{depth}_3rounds_xray4.py')


def changed_keys(first, second):
    """Keys of two levels at which two configs differ."""
    names = set()
    for key in set(first) | set(second):
        one, other = first.get(key), second.get(key)
        if one == other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            names |= {f'{key}.{part}' for part in changed_keys(one, other)}
        else:
            names.add(key)
    return {'.'.join(name.split('.')[:2]) for name in names}


def test_there_is_a_config_for_each_variant():
    assert {path.stem.split('_')[0] for path in CONTINUAL} == set(CHANGES)
    page = (ROOT.parent / 'docs/continual.md').read_text()
    names = [path.name for path in CONTINUAL if 'resnet18' in path.name]
    assert [name for name in names if name not in page] == []


@pytest.mark.parametrize('path', CONTINUAL, ids=lambda path: path.stem)
def test_variants_of_continual_learning_differ_in_nothing_else(path):
    config = read(path)
    changed = changed_keys(config.to_dict(), muscle_of(path).to_dict())
    assert changed == CHANGES[path.stem.split('_')[0]]


@pytest.mark.parametrize('path', CONTINUAL, ids=lambda path: path.stem)
def test_variants_of_continual_learning_train_each_task_equally_long(path):
    sizes = dict(pneumonia=97, mura=256, lung=17, tbx=8)
    plan = plan_schedule(read(path), sizes)
    assert plan.iterations == plan_schedule(muscle_of(path), sizes).iterations
    # a last batch of one film is an iteration as well
    assert plan.iterations == dict(pneumonia=12, mura=24, lung=9, tbx=3)
    assert f'{plan.visits[-1].round + 1}round' in path.stem


@pytest.mark.parametrize('depth', [18, 50])
def test_memory_only_has_the_schedule_of_muscle_minus_minus(depth):
    one, other = (
        read(ROOT / f'continual/{name}_resnet{depth}_1round_xray4.py')
        for name in ('muscle-minus-minus', 'ablation/memory-only')
    )
    assert changed_keys(one.to_dict(), other.to_dict()) == {'model.memory'}


#: part of a fine-tuning config's name -> where the backbone comes from
STARTS = {
    'in1k-pre': 'torchvision://resnet{depth}',
    'md-moco-pre': 'checkpoints/md_moco_resnet{depth}.pth',
    'muscle-minus-minus-pre': 'checkpoints/muscle_minus_minus_resnet{depth}.pth',
    'muscle-pre': 'checkpoints/muscle_resnet{depth}.pth',
}
FINETUNE = [path for path in CONFIGS if 'finetune' in path.parts]
FROM_SCRATCH = [path for path in FINETUNE if '-pre_' not in path.stem]


def test_there_is_a_fine_tuning_for_each_task_depth_and_initialisation():
    assert len(FINETUNE) == 4 * 2 * 5
    assert len(FROM_SCRATCH) == 4 * 2


@pytest.mark.parametrize('start', STARTS)
@pytest.mark.parametrize('path', FROM_SCRATCH, ids=lambda path: path.stem)
def test_initialisations_differ_from_scratch_in_nothing_but_the_checkpoint(path, start):
    model, backbone, *rest = path.stem.split('_')
    other = read(path.with_stem('_'.join([model, backbone, start, *rest])))
    depth = 50 if 'resnet50' in backbone else 18
    assert other.model.backbone.init_cfg.checkpoint == STARTS[start].format(depth=depth)
    scratch = read(path)
    other = other.to_dict()
    other['model']['backbone']['init_cfg']['checkpoint'] = None
    assert other == scratch.to_dict()
    toolbox = {'pneumonia': 'mmpretrain', 'mura': 'mmpretrain', 'lung': 'mmseg', 'tbx': 'mmdet'}
    assert scratch.default_scope == toolbox[path.parent.name]


def test_the_folder_of_checkpoints_is_a_variable(monkeypatch):
    monkeypatch.setenv('MUSCLE_CHECKPOINTS', '/elsewhere')
    path = ROOT / 'finetune/mura/fc_resnet18_muscle-pre_1xb32-50e_mura-224px.py'
    checkpoint = Config.fromfile(path).model.backbone.init_cfg.checkpoint
    assert checkpoint == '/elsewhere/muscle_resnet18.pth'


@pytest.mark.parametrize('path', FROM_SCRATCH, ids=lambda path: path.stem)
def test_names_say_how_long_and_in_what_batches_is_fine_tuned(path):
    config = read(path)
    epochs = config.train_cfg.max_epochs
    assert config.param_scheduler[1].end == epochs
    assert f'_1xb{config.train_dataloader.batch_size}-{epochs}e_' in path.stem

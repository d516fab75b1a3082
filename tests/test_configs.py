# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Every published config can be read, and its model built, in its own default scope."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope, init_default_scope

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


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
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

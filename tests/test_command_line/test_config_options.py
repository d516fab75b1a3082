# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from argparse import ArgumentParser

import pytest

from muscle_mm.command_line.config_options import add_common_arguments, check_option, load_config
from muscle_mm.utils.errors import UserError

CONFIG = {
    'model': {'backbone': {'depth': 18, 'init_cfg': None}},
    'optim_wrapper': {'type': 'OptimWrapper', 'optimizer': {'lr': 0.1}},
    'train_pipeline': [{'type': 'LoadXray'}, {'type': 'Resize', 'scale': 8}],
}


@pytest.mark.parametrize(
    'key',
    [
        'model.backbone.depth',
        'model.backbone.init_cfg.checkpoint',
        'optim_wrapper.clip_grad.max_norm',
        'train_pipeline.1.scale',
        'randomness.seed',
    ],
)
def test_known_keys_and_new_keys_pass(key):
    check_option(CONFIG, key)


@pytest.mark.parametrize(
    ('key', 'message'),
    [
        ('model.bakcbone.depth', "no key 'model.bakcbone'. Did you mean 'model.backbone.depth'"),
        ('modle.backbone.depth', "no key 'modle'. Did you mean 'model.backbone.depth'"),
        ('model.backbone.dpeth', 'Did you mean'),
        ('train_pipeline.2.scale', "train_pipeline is a list of 2 entries, and '2' is not"),
        ('train_pipeline.first', "'first' is not the number of one"),
    ],
)
def test_near_misses_are_refused(key, message):
    with pytest.raises(UserError, match=message.replace('.', r'\.').replace('?', r'\?')):
        check_option(CONFIG, key)


def load(path, *options):
    parser = ArgumentParser()
    parser.add_argument('config')
    add_common_arguments(parser)
    return load_config(parser.parse_args([str(path), *options]))


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / 'some_name.py'
    path.write_text(
        "default_scope = 'mmpretrain'\n"
        'train_dataloader = dict(num_workers=2)\n'
        'val_dataloader = dict(num_workers=0)\n'
        'test_dataloader = None\n'
    )
    return path


def test_work_directory_comes_from_the_command_line_or_the_name(config_file):
    assert load(config_file).work_dir == 'work_dirs/some_name'
    assert load(config_file, '--work-dir', 'here').work_dir == 'here'


def test_dataloaders_get_what_mmpretrains_tool_gives_them(config_file):
    config = load(config_file, '--cfg-options', 'val_dataloader.pin_memory=False')
    assert config.train_dataloader.collate_fn == {'type': 'default_collate'}
    assert (config.train_dataloader.pin_memory, config.val_dataloader.pin_memory) == (True, False)
    # torch refuses persistent workers where there are none
    assert config.train_dataloader.persistent_workers is True
    assert config.val_dataloader.persistent_workers is False

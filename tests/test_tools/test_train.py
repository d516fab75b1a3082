# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools'


def test_trains_and_resumes(run_tool, toy_config, tmp_path):
    assert run_tool('train.py', toy_config, '--work-dir', tmp_path / 'run') == 0
    assert (tmp_path / 'run' / 'epoch_2.pth').is_file()
    options = ['--resume', '--cfg-options', 'train_cfg.max_epochs=3']
    assert run_tool('train.py', toy_config, '--work-dir', tmp_path / 'run', *options) == 0
    assert (tmp_path / 'run' / 'epoch_3.pth').is_file()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['model.widht=1'], "has no key 'model.widht'. Did you mean 'model.width'?"),
        (['model.depth=3'], "unexpected keyword argument 'depth'"),
        (['model.type=ToyLion'], 'ToyLion is not in the mmengine::model registry'),
    ],
)
def test_a_mistyped_option_is_one_message(run_tool, toy_config, capsys, options, message):
    assert run_tool('train.py', toy_config, '--cfg-options', *options) == 1
    errors = capsys.readouterr().err
    assert message in errors
    assert 'Traceback' not in errors


def test_fewer_films_than_a_batch_are_one_message(run_tool, toy_config, tmp_path, capsys):
    options = ['train_dataloader.batch_size=5', 'train_dataloader.drop_last=True']
    command = [toy_config, '--work-dir', tmp_path / 'run', '--cfg-options', *options]
    assert run_tool('train.py', *command) == 1
    errors = capsys.readouterr().err
    assert 'no batch: 4 films are fewer than one of train_dataloader.batch_size=5' in errors
    assert 'Traceback' not in errors
    # A training of iterations goes through them again and again.
    config = toy_config.read_text().replace(
        'by_epoch=True, max_epochs=2', 'by_epoch=False, max_iters=2'
    )
    toy_config.write_text(config.replace("'DefaultSampler', shuffle=True", "'InfiniteSampler'"))
    assert run_tool('train.py', *command) == 0


def test_the_learning_rate_is_scaled_where_the_config_allows_it(
    run_tool, toy_config, tmp_path, capsys
):
    command = [toy_config, '--work-dir', tmp_path / 'run', '--auto-scale-lr']
    assert run_tool('train.py', *command) == 1
    errors = capsys.readouterr().err
    assert 'Add auto_scale_lr=dict(enable=False, base_batch_size=N)' in errors
    assert 'Traceback' not in errors
    toy_config.write_text(toy_config.read_text() + 'auto_scale_lr = dict(base_batch_size=8)\n')
    assert run_tool('train.py', *command) == 0


def test_an_option_without_a_value_is_one_message(run_tool, toy_config, capsys):
    assert run_tool('train.py', toy_config, '--cfg-options', 'model.width') == 2
    assert "'model.width' is not of the form KEY=VALUE" in capsys.readouterr().err


def test_a_missing_config_is_one_message(run_tool, capsys):
    assert run_tool('train.py', 'nowhere.py') == 1
    assert 'Error: config nowhere.py does not exist.' in capsys.readouterr().err


def test_two_processes_train_through_the_shell_script(toy_config, tmp_path):
    environment = {**os.environ, 'PYTHON': sys.executable, 'PORT': '29731', 'OMP_NUM_THREADS': '1'}
    environment['PYTHONPATH'] = str(tmp_path)
    done = subprocess.run(
        [str(TOOLS / 'dist_train.sh'), str(toy_config), '2', '--work-dir', str(tmp_path / 'run')],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / 'run' / 'epoch_2.pth').is_file()
    assert 'GPU number: 2' in done.stdout + done.stderr


@pytest.mark.parametrize('script', ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh'])
def test_shell_scripts_say_how_they_are_used(script):
    done = subprocess.run([str(TOOLS / script)], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith('usage: ')

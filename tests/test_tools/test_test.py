# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json

import pytest


@pytest.fixture
def checkpoint(run_tool, toy_config, tmp_path):
    assert run_tool('train.py', toy_config, '--work-dir', tmp_path / 'run') == 0
    return tmp_path / 'run' / 'epoch_2.pth'


def test_evaluates_and_writes_metrics(run_tool, toy_config, checkpoint, tmp_path):
    out = tmp_path / 'metrics.json'
    arguments = [toy_config, checkpoint, '--work-dir', tmp_path / 'test', '--out', out]
    assert run_tool('test.py', *arguments) == 0
    assert json.loads(out.read_text()) == {'toy/count': 4}


def test_writes_predictions(run_tool, toy_config, checkpoint, tmp_path):
    out = tmp_path / 'predictions.pkl'
    arguments = [toy_config, checkpoint, '--work-dir', tmp_path / 'test', '--out', out]
    assert run_tool('test.py', *arguments) == 0
    assert out.stat().st_size > 0


def test_a_missing_checkpoint_is_one_message(run_tool, toy_config, capsys):
    assert run_tool('test.py', toy_config, 'nowhere.pth') == 1
    assert 'checkpoint nowhere.pth does not exist' in capsys.readouterr().err


def test_out_item_without_out_is_one_message(run_tool, toy_config, capsys):
    assert run_tool('test.py', toy_config, 'any.pth', '--out-item', 'pred') == 1
    assert '--out-item needs --out FILE' in capsys.readouterr().err

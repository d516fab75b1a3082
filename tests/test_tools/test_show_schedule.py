# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

MUSCLE = Path(__file__).parents[2] / 'configs/continual/muscle_resnet18_3rounds_xray4.py'
SIZES = ('pneumonia=97', 'mura=256', 'lung=17', 'tbx=8')


def test_prints_the_tables_and_draws(run_tool, tmp_path, capsys):
    picture = tmp_path / 'schedule.png'
    options = ['--cfg-options', 'train_dataloader.batch_sampler.rounds=1']
    assert run_tool('show_schedule.py', MUSCLE, '--sizes', *SIZES, *options, '--out', picture) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:4] == ['visit', 'round', 'task', 'iterations']
    assert [line.split()[2] for line in lines[1:5]] == ['lung', 'pneumonia', 'mura', 'tbx']
    assert lines[-3].split() == ['all', '4', '16']
    assert picture.is_file()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['nowhere.py'], 'config nowhere.py does not exist'),
        ([MUSCLE, '--sizes', 'lung'], "'lung' is not of the form TASK=FILMS"),
        ([MUSCLE, '--sizes', 'lung=many'], "'lung=many' is not of the form TASK=FILMS"),
        ([MUSCLE, '--sizes', 'lung=7'], "--sizes has the tasks ['lung']"),
        ([MUSCLE, '--sizes', *SIZES, '--out', 'schedule.jpg'], 'the picture is a PNG'),
        (
            [MUSCLE, '--sizes', *SIZES, '--cfg-options', 'train_dataloader.batch_sampler.round=1'],
            "Did you mean 'train_dataloader.batch_sampler.rounds'",
        ),
    ],
)
def test_what_is_wrong_is_one_message(run_tool, capsys, arguments, message):
    assert run_tool('show_schedule.py', *arguments) == 1
    assert message in capsys.readouterr().err


def test_data_that_are_not_there(run_tool, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv('MUSCLE_DATA_ROOT', str(tmp_path))
    assert run_tool('show_schedule.py', MUSCLE) == 1
    assert '--sizes pneumonia=N mura=N lung=N tbx=N' in capsys.readouterr().err

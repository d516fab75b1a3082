# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json

import pytest


@pytest.fixture
def study(tmp_path):
    for initialisation, auc in (('scratch', 80.0), ('muscle', 90.0)):
        work_dir = tmp_path / 'finetune' / 'mura' / 'resnet18' / initialisation / 'seed0'
        work_dir.mkdir(parents=True)
        (work_dir / 'test_metrics.json').write_text(json.dumps({'metrics': {'binary/auc': auc}}))
    return tmp_path


RESULTS = ['bars.png', 'index.html', *(f'results.{kind}' for kind in ('json', 'md', 'tex', 'txt'))]


def test_writes_all_formats_and_prints_one(run_tool, study, capsys):
    out = study / 'other' / 'place'
    options = ['--titles', 'mura=Knee', '--note', 'Few films.']
    assert run_tool('report.py', study, '--out', out, *options) == 0
    assert sorted(path.name for path in out.iterdir()) == RESULTS
    shown = capsys.readouterr()
    assert shown.out == (out / 'results.txt').read_text()
    assert 'Knee' in shown.out
    assert 'Few films.' in shown.out
    assert 'Warnings:' in shown.out
    assert shown.err == ''
    rows = json.loads((out / 'results.json').read_text())['rows']
    assert rows[4]['label'] == 'R18 MUSCLE'
    assert 'data:image/png;base64' in (out / 'index.html').read_text()


def test_quiet_prints_warnings_alone(run_tool, study, capsys):
    assert run_tool('report.py', study, '--quiet', '--films', 0) == 0
    assert sorted(path.name for path in (study / 'report').iterdir()) == RESULTS
    shown = capsys.readouterr()
    assert shown.out == ''
    assert shown.err.startswith('Warning: 2 of 2 tested models have no table of test films')


def test_an_empty_folder_is_one_message(run_tool, tmp_path, capsys):
    assert run_tool('report.py', tmp_path, '--out', tmp_path / 'report') == 1
    assert 'no test result found' in capsys.readouterr().err
    assert not (tmp_path / 'report').exists()


def test_a_title_without_a_task_is_one_message(run_tool, tmp_path, capsys):
    assert run_tool('report.py', tmp_path, '--out', tmp_path, '--titles', 'Knee') == 1
    assert "'Knee' is not of the form TASK=TITLE" in capsys.readouterr().err

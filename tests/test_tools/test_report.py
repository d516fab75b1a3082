# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json


def make_cell(root, task, initialisation, metrics):
    work_dir = root / 'finetune' / task / initialisation / 'seed0'
    work_dir.mkdir(parents=True)
    (work_dir / 'test_metrics.json').write_text(json.dumps({'metrics': metrics}))
    (work_dir / 'config.py').write_text("model = dict(backbone=dict(type='ResNet', depth=18))")


def test_writes_the_tables_and_prints_one(run_tool, tmp_path, capsys):
    for initialisation, auc in (('scratch', 80.0), ('muscle', 90.0)):
        make_cell(tmp_path, 'mura', initialisation, {'binary/auc': auc})
    out = tmp_path / 'report'
    options = ['--titles', 'mura=Knee', '--note', 'Few films.']
    assert run_tool('report.py', tmp_path, '--out', out, *options) == 0
    assert sorted(path.name for path in out.iterdir()) == [
        'results.json',
        'results.md',
        'results.txt',
    ]
    shown = capsys.readouterr().out
    assert 'Knee' in shown
    assert 'Few films.' in shown
    assert json.loads((out / 'results.json').read_text())['rows'][1]['label'] == 'R18 MUSCLE'


def test_an_empty_folder_is_one_message(run_tool, tmp_path, capsys):
    assert run_tool('report.py', tmp_path, '--out', tmp_path / 'report') == 1
    assert 'no test result found' in capsys.readouterr().err


def test_a_title_without_a_task_is_one_message(run_tool, tmp_path, capsys):
    assert run_tool('report.py', tmp_path, '--out', tmp_path, '--titles', 'Knee') == 1
    assert "'Knee' is not of the form TASK=TITLE" in capsys.readouterr().err

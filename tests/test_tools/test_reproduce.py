# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import sys

import pytest

from muscle_mm.pipeline.plan import Plan
from muscle_mm.pipeline.stage import Stage


@pytest.fixture
def small_plan(monkeypatch, tmp_path):
    """Replace the stages by some that append a letter to a file each."""
    import muscle_mm.pipeline.plan

    notes = tmp_path / 'notes'
    write = "import sys; open(sys.argv[1], 'a').write(sys.argv[2])"
    fail = "import sys, os; sys.exit('no films' if os.path.exists(sys.argv[1]) else 0)"
    report = (
        'import sys, pathlib; folder = pathlib.Path(sys.argv[1]); folder.mkdir();'
        "(folder / 'results.txt').write_text('the table')"
    )

    def python(code, *arguments):
        return (sys.executable, '-c', code, *map(str, arguments))

    def plan(study):
        stages = [Stage('data', 'data', python(write, notes, 'd'))]
        for seed in study.seeds:
            name = f'train{seed}'
            stages.append(Stage(name, name, python(write, notes, seed), after=('data',)))
        stages.append(Stage('bad', 'bad', python(fail, tmp_path / 'broken'), after=('data',)))
        out = study.out / 'report'
        cells = tuple(stage.name for stage in stages[1:])
        stages.append(
            Stage('report', 'report', python(report, out), cells, work_dir=out, tolerant=True)
        )
        return Plan(stages, ['one thing is left out'])

    monkeypatch.setattr(muscle_mm.pipeline.plan, 'make_plan', plan)
    return notes


def test_what_is_done_is_not_done_twice_and_more_is_added(run_tool, small_plan, tmp_path, capsys):
    out = tmp_path / 'out'
    options = ('reproduce.py', '--budget', 'tiny', '--out', out, '--jobs', 1)
    assert run_tool(*options) == 0
    assert small_plan.read_text() == 'd0'
    shown = capsys.readouterr().out
    assert 'Note: one thing is left out' in shown
    assert 'the table' in shown
    assert str(out / 'report' / 'results.txt') in shown
    assert 'Total time: ' in shown
    assert run_tool(*options) == 0
    assert small_plan.read_text() == 'd0'
    assert run_tool(*options, '--seeds', 0, 7) == 0
    assert small_plan.read_text() == 'd07'


def test_a_failure_leaves_a_report_and_an_exit_code(run_tool, small_plan, tmp_path, capsys):
    options = ('reproduce.py', '--budget', 'tiny', '--out', tmp_path / 'out')
    (tmp_path / 'broken').touch()
    assert run_tool(*options) == 1
    shown = capsys.readouterr()
    assert 'the table' in shown.out
    assert '1 of 4 stages failed' in shown.err
    assert str(tmp_path / 'out' / 'logs' / 'bad.log') in shown.err
    (tmp_path / 'broken').unlink()
    assert run_tool(*options) == 0
    assert small_plan.read_text() == 'd0'


def test_a_dry_run_lists_and_writes_nothing(run_tool, small_plan, tmp_path, capsys):
    out = tmp_path / 'out'
    options = ('reproduce.py', '--budget', 'tiny', '--out', out)
    assert run_tool(*options, '--dry-run') == 0
    shown = capsys.readouterr().out
    assert '# train0: to do (not measured)\n' in shown
    assert '0 of 4 stages are done' in shown
    assert not out.exists()
    assert run_tool(*options) == 0
    capsys.readouterr()
    assert run_tool(*options, '--dry-run', '--seeds', 0, 1) == 0
    shown = capsys.readouterr().out
    assert '# train0: done\n' in shown
    assert '# train1: to do' in shown
    assert '3 of 5 stages are done' in shown


def test_measuring_prepares_the_data_alone(run_tool, small_plan, tmp_path, capsys):
    options = ('reproduce.py', '--budget', 'tiny', '--out', tmp_path / 'out')
    assert run_tool(*options, '--measure') == 0
    assert small_plan.read_text() == 'd'
    assert '1 of 4 stages are done' in capsys.readouterr().out


def test_another_budget_needs_another_folder(run_tool, small_plan, tmp_path, capsys):
    out = tmp_path / 'out'
    assert run_tool('reproduce.py', '--budget', 'tiny', '--out', out) == 0
    assert run_tool('reproduce.py', '--budget', 'small', '--out', out) == 1
    assert 'give another --out' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (('--data', '/nowhere'), '--data /nowhere: the folder does not exist'),
        (('--inits', 'resnet'), '--inits resnet: unknown. Choose from scratch, imagenet'),
        (('--jobs', '0'), '--jobs 0: must be at least 1'),
    ],
)
def test_what_cannot_be_run_is_one_message(
    run_tool, small_plan, tmp_path, capsys, options, message
):
    assert run_tool('reproduce.py', '--budget', 'tiny', '--out', tmp_path / 'o', *options) == 1
    assert message in capsys.readouterr().err


def test_the_full_study_has_both_backbones(run_tool, tmp_path, capsys, monkeypatch):
    import muscle_mm.pipeline.plan
    from muscle_mm.pipeline.prepare_data import DEMO_SETS

    for name in DEMO_SETS.values():
        (tmp_path / 'data' / name).mkdir(parents=True)
        (tmp_path / 'data' / name / 'manifest.json').touch()
    asked = []
    monkeypatch.setattr(
        muscle_mm.pipeline.plan, 'make_plan', lambda study: asked.append(study) or Plan()
    )
    arguments = ('--dry-run', '--data', tmp_path / 'data', '--out', tmp_path / 'out')
    for budget in ('full', 'small'):
        assert run_tool('reproduce.py', '--budget', budget, *arguments) == 0
    assert [study.backbones for study in asked] == [(18, 50), (18,)]

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import sys

import pytest

from muscle_mm.pipeline.ledger import Ledger
from muscle_mm.pipeline.stage import Stage


@pytest.fixture
def small_plan(monkeypatch, tmp_path):
    """Replace the stages by three that append a letter to a file each."""
    import muscle_mm.pipeline.plan

    write = "import sys, pathlib; open(sys.argv[1], 'a').write(sys.argv[2])"
    report = (
        'import sys, pathlib; folder = pathlib.Path(sys.argv[1]); folder.mkdir();'
        "(folder / 'results.txt').write_text('the table')"
    )

    def make_plan(pipeline, out, source, initialisations, seed):
        notes = str(tmp_path / 'notes')
        return [
            Stage('data', 'data', (sys.executable, '-c', write, notes, 'd'), lasting=True),
            Stage('train', 'train', (sys.executable, '-c', write, notes, 't'), after=('data',)),
            Stage(
                'report',
                'report',
                (sys.executable, '-c', report, str(out / 'report')),
                after=('train',),
                work_dir=out / 'report',
            ),
        ]

    monkeypatch.setattr(muscle_mm.pipeline.plan, 'make_plan', make_plan)
    return tmp_path / 'notes'


def test_a_finished_run_trains_again_on_the_data_that_is_there(
    run_tool, small_plan, tmp_path, capsys
):
    out = tmp_path / 'out'
    assert run_tool('run_pipeline.py', 'demo', '--out', out) == 0
    assert small_plan.read_text() == 'dt'
    shown = capsys.readouterr().out
    assert 'the table' in shown
    assert str(out / 'report' / 'results.txt') in shown
    assert 'Total time: ' in shown

    assert run_tool('run_pipeline.py', 'demo', '--out', out) == 0
    assert small_plan.read_text() == 'dtt'
    assert 'training again' in capsys.readouterr().out
    assert run_tool('run_pipeline.py', 'demo', '--out', out, '--resume') == 0
    assert small_plan.read_text() == 'dtt'
    assert run_tool('run_pipeline.py', 'demo', '--out', out, '--fresh') == 0
    assert small_plan.read_text() == 'dttdt'


def test_an_interrupted_run_goes_on(run_tool, small_plan, tmp_path, monkeypatch):
    out = tmp_path / 'out'
    stages = sys.modules['muscle_mm.pipeline.plan'].make_plan('demo', out, None, [], 0)
    ledger = Ledger(out / 'logs' / 'state', stages)
    ledger.mark(stages[0], 'done')
    ledger.mark(stages[1], 'done')
    assert run_tool('run_pipeline.py', 'demo', '--out', out) == 0
    assert not small_plan.exists()


def test_dry_run_lists_the_commands(run_tool, small_plan, tmp_path, capsys):
    assert run_tool('run_pipeline.py', 'demo', '--out', tmp_path / 'out', '--dry-run') == 0
    assert '# train\n' in capsys.readouterr().out
    assert not small_plan.exists()


def test_missing_films_are_one_message(run_tool, tmp_path, capsys):
    arguments = ['real', '--data', tmp_path / 'nowhere', '--out', tmp_path / 'out']
    assert run_tool('run_pipeline.py', *arguments) == 1
    assert 'nowhere does not exist. Name it with --data' in capsys.readouterr().err

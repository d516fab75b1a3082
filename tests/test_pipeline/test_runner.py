# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from muscle_mm.pipeline.ledger import Ledger
from muscle_mm.pipeline.runner import PipelineRunner
from muscle_mm.pipeline.stage import Stage
from muscle_mm.utils.errors import UserError


def python(code, *arguments):
    return (sys.executable, '-c', textwrap.dedent(code), *map(str, arguments))


def note(tmp_path, word):
    """A command that appends a word to one file."""
    return python("import sys; open(sys.argv[1], 'a').write(sys.argv[2])", tmp_path / 'notes', word)


def run(tmp_path, stages, jobs=2):
    ledger = Ledger(tmp_path / 'state', stages)
    (tmp_path / 'logs').mkdir(exist_ok=True)
    PipelineRunner(stages, ledger, tmp_path / 'logs', jobs, tmp_path).run()


def test_stages_run_in_order_and_only_once(tmp_path, capsys):
    stages = [
        Stage('a', 'first', note(tmp_path, 'a')),
        Stage('b', 'second', note(tmp_path, 'b'), after=('a',)),
        Stage('c', 'third', note(tmp_path, 'c'), after=('b',)),
    ]
    run(tmp_path, stages)
    run(tmp_path, stages)
    assert (tmp_path / 'notes').read_text() == 'abc'
    shown = capsys.readouterr().out
    assert '[1/3] first: starting at 0:00' in shown
    assert '[3/3] third: done in 0:00' in shown
    assert '[2/3] second: done before' in shown


def test_what_follows_a_changed_stage_runs_again(tmp_path):
    stages = [
        Stage('a', 'first', note(tmp_path, 'a')),
        Stage('b', 'second', note(tmp_path, 'b'), after=('a',)),
    ]
    run(tmp_path, stages)
    Ledger(tmp_path / 'state', stages).forget(stages[:1])
    run(tmp_path, stages)
    assert (tmp_path / 'notes').read_text() == 'abab'


def test_independent_stages_run_side_by_side_and_alone_means_alone(tmp_path):
    wait = """
        import sys, time, pathlib
        folder, own, other = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
        (folder / own).touch()
        end = time.time() + 10
        while not (folder / other).exists():
            assert time.time() < end
            time.sleep(0.02)
    """
    alone = 'import sys, os; assert os.environ["OMP_NUM_THREADS"] == str(os.cpu_count() or 1)'
    stages = [
        Stage('x', 'x', python(wait, tmp_path, 'x', 'y')),
        Stage('y', 'y', python(wait, tmp_path, 'y', 'x')),
        Stage('z', 'z', python(alone), alone=True),
    ]
    run(tmp_path, stages)


def test_progress_is_shown_and_everything_logged(tmp_path, capsys):
    code = "print('Epoch(train) [1][1/9] loss: 2'); print('noise')"
    run(tmp_path, [Stage('finetune/lung/muscle', 'tune', python(code))])
    shown = capsys.readouterr().out
    assert 'lung/muscle: Epoch(train) [1][1/9] loss: 2' in shown
    assert 'noise' not in shown
    assert 'noise' in (tmp_path / 'logs' / 'finetune-lung-muscle.log').read_text()


def test_a_failure_names_stage_reason_and_log_and_stops_the_others(tmp_path):
    stages = [
        Stage('slow', 'slow one', python('import time; time.sleep(60)')),
        Stage('bad', 'bad one', python("raise ValueError('no films')")),
        Stage('never', 'never', note(tmp_path, 'n'), after=('bad',)),
    ]
    begin = time.monotonic()
    reason = (
        r'bad one: failed with exit code 1: ValueError: no films\. The whole output: .*bad\.log'
    )
    with pytest.raises(UserError, match=reason):
        run(tmp_path, stages)
    assert time.monotonic() - begin < 20
    assert not (tmp_path / 'notes').exists()


def test_a_stage_that_starts_afresh_finds_its_folder_empty(tmp_path):
    work = tmp_path / 'work'
    work.mkdir()
    (work / 'stale.pth').touch()
    run(tmp_path, [Stage('a', 'a', note(tmp_path, 'a'), work_dir=work)])
    assert not work.exists()
    kept = tmp_path / 'data'
    kept.mkdir()
    run(tmp_path, [Stage('d', 'd', note(tmp_path, 'd'), work_dir=kept, lasting=True)])
    assert kept.exists()


def test_an_interrupted_stage_goes_on_in_its_folder(tmp_path):
    work = tmp_path / 'work'
    work.mkdir()
    command = python('import sys; assert sys.argv[1:] == ["--resume", "x"]', 'x')
    stage = Stage('a', 'a', command, work_dir=work, resume_options=('--resume',))
    Ledger(tmp_path / 'state', [stage]).mark(stage, 'started')
    (work / 'half.pth').touch()
    run(tmp_path, [stage])
    assert (work / 'half.pth').exists()
    # without the mark it starts afresh, without the option
    fresh = replace(stage, command=python('import sys; assert sys.argv[1:] == ["x"]', 'x'))
    run(tmp_path, [fresh])


def test_stopping_ends_the_commands_and_their_children(tmp_path):
    child = tmp_path / 'child.py'
    child.write_text(
        'import os, time\nopen("pid", "w").write(str(os.getpid()) + "\\n")\ntime.sleep(60)\n'
    )
    driver = tmp_path / 'driver.py'
    driver.write_text(
        textwrap.dedent(
            """
            import signal
            import sys
            from pathlib import Path
            from muscle_mm.pipeline.ledger import Ledger
            from muscle_mm.pipeline.runner import PipelineRunner
            from muscle_mm.pipeline.stage import Stage

            # A shell lets its background jobs, and what they start, ignore it.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            folder = Path(sys.argv[1])
            parent = 'import subprocess, sys; subprocess.run([sys.executable, "child.py"])'
            stages = [Stage('a', 'a', (sys.executable, '-c', parent))]
            PipelineRunner(stages, Ledger(folder / 'state', stages), folder, 1, folder).run()
            """
        )
    )
    environment = {**os.environ, 'PYTHONPATH': str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, str(driver), str(tmp_path)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    pid_file = tmp_path / 'pid'
    end = time.monotonic() + 30
    while (
        not (pid_file.is_file() and pid_file.read_text().endswith('\n')) and time.monotonic() < end
    ):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) != 0
    pid = int(pid_file.read_text())
    end = time.monotonic() + 10
    while Path(f'/proc/{pid}').exists() and time.monotonic() < end:
        time.sleep(0.05)
    state = Path(f'/proc/{pid}/stat')
    assert not state.exists() or state.read_text().split()[2] == 'Z'

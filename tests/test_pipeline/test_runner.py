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


#: Note the own GPU in a file, and wait for the file of the other.
MEET = """
    import os, pathlib, sys, time
    folder, own, other = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    (folder / own).write_text(os.environ.get('CUDA_VISIBLE_DEVICES', ''))
    end = time.time() + 10
    while not (folder / other).exists():
        assert time.time() < end
        time.sleep(0.02)
"""


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
    alone = 'import sys, os; assert os.environ["OMP_NUM_THREADS"] == str(os.cpu_count() or 1)'
    stages = [
        Stage('x', 'x', python(MEET, tmp_path, 'x', 'y')),
        Stage('y', 'y', python(MEET, tmp_path, 'y', 'x')),
        Stage('z', 'z', python(alone), alone=True),
    ]
    run(tmp_path, stages)


def test_stages_side_by_side_have_a_gpu_each(tmp_path, monkeypatch):
    monkeypatch.setattr('muscle_mm.pipeline.runner.visible_gpus', lambda: ['3', '5'])
    stages = [
        Stage(name, name, python(MEET, tmp_path, name, other))
        for name, other in (('v', 'w'), ('w', 'v'), ('x', 'y'), ('y', 'x'))
    ]
    run(tmp_path, stages)
    gpus = {name: (tmp_path / name).read_text() for name in 'vwxy'}
    assert {gpus['v'], gpus['w']} == {gpus['x'], gpus['y']} == {'3', '5'}


def test_progress_is_shown_and_everything_logged(tmp_path, capsys):
    code = "print('Epoch(train) [1][1/9] loss: 2'); print('noise')"
    run(tmp_path, [Stage('finetune/lung/muscle', 'tune', python(code))])
    shown = capsys.readouterr().out
    assert 'lung/muscle: Epoch(train) [1][1/9] loss: 2' in shown
    assert 'noise' not in shown
    assert 'noise' in (tmp_path / 'logs' / 'finetune-lung-muscle.log').read_text()


def test_a_failure_stops_only_what_needs_it(tmp_path, capsys):
    stages = [
        Stage('bad', 'bad one', python("raise ValueError('no films')")),
        Stage('after', 'after the bad one', note(tmp_path, 'x'), after=('bad',)),
        Stage('later', 'much later', note(tmp_path, 'x'), after=('after',)),
        Stage('other', 'other', note(tmp_path, 'o')),
        Stage('last', 'last', note(tmp_path, 'l'), after=('other',)),
        Stage('report', 'report', note(tmp_path, 'r'), after=('later', 'last'), tolerant=True),
    ]
    with pytest.raises(UserError) as raised:
        run(tmp_path, stages)
    message = str(raised.value)
    assert '1 of 6 stages failed' in message
    reason = f'bad one: failed with exit code 1: ValueError: no films. The whole output: {tmp_path}'
    assert reason in message and 'bad.log' in message
    assert 'after the bad one (needs bad)' in message
    assert 'much later (needs after)' in message
    assert (tmp_path / 'notes').read_text() == 'olr'
    assert 'left out, needs bad' in capsys.readouterr().out


def test_what_failed_is_tried_again_and_the_report_written_anew(tmp_path):
    mended = tmp_path / 'mended'
    stages = [
        Stage(
            'a', 'a', python('import sys, os; sys.exit(not os.path.exists(sys.argv[1]))', mended)
        ),
        Stage('b', 'b', note(tmp_path, 'b')),
        Stage('report', 'report', note(tmp_path, 'r'), after=('a', 'b'), tolerant=True),
    ]
    with pytest.raises(UserError, match='a: failed with exit code 1'):
        run(tmp_path, stages)
    mended.touch()
    run(tmp_path, stages)
    run(tmp_path, stages)
    assert (tmp_path / 'notes').read_text() == 'brr'


def test_a_report_of_nothing_is_left_out(tmp_path):
    stages = [
        Stage('a', 'a', python('raise SystemExit(3)')),
        Stage('report', 'report', note(tmp_path, 'r'), after=('a',), tolerant=True),
    ]
    with pytest.raises(UserError, match='report \\(needs a\\)'):
        run(tmp_path, stages)
    assert not (tmp_path / 'notes').exists()


def test_a_stage_that_cannot_start_has_failed(tmp_path):
    stages = [
        Stage('a', 'first', (f'{{last:{tmp_path}}}',)),
        Stage('b', 'second', ('/no/such/command',)),
        Stage('c', 'third', note(tmp_path, 'c')),
    ]
    with pytest.raises(UserError) as raised:
        run(tmp_path, stages)
    assert 'first: cannot start' in str(raised.value)
    assert 'holds no checkpoint' in str(raised.value)
    assert 'second: cannot start' in str(raised.value)
    assert (tmp_path / 'notes').read_text() == 'c'


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
    command = python('import sys; assert sys.argv[1:] == ["x", "--resume"]', 'x')
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


SHARED = """
    import sys
    from pathlib import Path
    from muscle_mm.pipeline.ledger import Ledger
    from muscle_mm.pipeline.runner import PipelineRunner
    from muscle_mm.pipeline.stage import Stage

    folder = Path(sys.argv[1])
    log = folder / 'logs' / sys.argv[2]
    log.mkdir(parents=True, exist_ok=True)

    def python(code, *arguments):
        return (sys.executable, '-c', code, *map(str, arguments))

    # Counts to five in a file, goes on where it was, and lasts a while.
    count = (
        'import sys, time, pathlib\\n'
        'path = pathlib.Path(sys.argv[1]); path.mkdir(parents=True, exist_ok=True)\\n'
        'number = path / "number"\\n'
        'done = int(number.read_text()) if number.exists() else 0\\n'
        'for value in range(done + 1, 6):\\n'
        '    time.sleep(0.1)\\n'
        '    (path / "part").write_text(str(value)); (path / "part").replace(number)\\n'
        'open(path.parent / "ends", "a").write(path.name + " ")\\n'
    )
    total = (
        'import sys, pathlib\\n'
        'found = sorted(pathlib.Path(sys.argv[1]).glob("*/number"))\\n'
        'pathlib.Path(sys.argv[2]).write_text(" ".join(path.parent.name + path.read_text()'
        ' for path in found))\\n'
    )
    work = folder / 'work'
    stages = [
        Stage(name, name, python(count, work / name), after=after, work_dir=work / name,
              resume_options=('--resume',))
        for name, after in (
            ('a', ()), ('b', ('a',)), ('c', ('a',)), ('d', ('b',)), ('e', ('c',)), ('f', ())
        )
    ]
    stages.append(Stage('report', 'report', python(total, work, folder / 'report'),
                        after=tuple(stage.name for stage in stages), tolerant=True))
    PipelineRunner(stages, Ledger(folder / 'state', stages), log, 2, folder).run()
"""
REPORT = 'a5 b5 c5 d5 e5 f5'


@pytest.fixture
def launch(tmp_path):
    """Start a pipeline of six counting stages and a report in a process of its own."""
    driver = tmp_path / 'driver.py'
    driver.write_text(textwrap.dedent(SHARED))
    environment = {**os.environ, 'PYTHONPATH': str(Path(__file__).resolve().parents[2])}

    def start(name):
        return subprocess.Popen(
            [sys.executable, str(driver), str(tmp_path / 'study'), name],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


def wait_for(path, seconds=30):
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, path
        time.sleep(0.01)


def test_killed_twice_and_started_again_it_gives_the_same_report(tmp_path, launch):
    study = tmp_path / 'study'
    for moment in (study / 'work/a/number', study / 'work/c/number'):
        process = launch('one')
        wait_for(moment)
        process.kill()
        process.communicate()
    output, _ = launch('one').communicate(timeout=60)
    assert (study / 'report').read_text() == REPORT
    assert 'going on' in output
    # What was finished before a kill was not done again.
    assert 'a: done before' in output
    ends = (study / 'work/ends').read_text().split()
    assert sorted(ends) == ['a', 'b', 'c', 'd', 'e', 'f']


def test_two_launches_share_the_stages(tmp_path, launch):
    first, second = launch('one'), launch('two')
    outputs = [process.communicate(timeout=60)[0] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), outputs
    ends = (tmp_path / 'study/work/ends').read_text().split()
    assert sorted(ends) == ['a', 'b', 'c', 'd', 'e', 'f']
    assert (tmp_path / 'study/report').read_text() == REPORT
    assert any('done by another launch' in output for output in outputs)


def test_what_another_launch_leaves_behind_is_taken_over(tmp_path, launch):
    first = launch('one')
    wait_for(tmp_path / 'study/work/a/number')
    second = launch('two')
    first.kill()
    first.communicate()
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 0, output
    assert (tmp_path / 'study/report').read_text() == REPORT


def counting(tmp_path, name):
    """A stage that fails in its first run, and notes in its folder how it was started."""
    return Stage(
        name,
        name,
        python(
            """
            import pathlib, sys
            folder = pathlib.Path(sys.argv[1])
            first = not folder.exists()
            folder.mkdir(exist_ok=True)
            with open(folder / 'starts', 'a') as file:
                file.write('resumed ' if '--resume' in sys.argv else 'fresh ')
            raise SystemExit(first)
            """,
            tmp_path / name,
        ),
        after=('a',),
        work_dir=tmp_path / name,
        resume_options=('--resume',),
    )


def test_what_failed_does_not_go_on_once_what_it_needs_runs_again(tmp_path):
    first = Stage('a', 'first', note(tmp_path, 'a'))
    stages = [first, counting(tmp_path, 'b')]
    with pytest.raises(UserError, match='b: failed'):
        run(tmp_path, stages)
    Ledger(tmp_path / 'state', stages).forget([first])
    with pytest.raises(UserError, match='b: failed'):
        run(tmp_path, stages)
    assert (tmp_path / 'b' / 'starts').read_text() == 'fresh '
    run(tmp_path, stages)
    assert (tmp_path / 'b' / 'starts').read_text() == 'fresh resumed '


def test_results_of_what_is_left_out_are_put_aside(tmp_path):
    fails = tmp_path / 'fails'
    first = Stage(
        'a', 'first', python('import os, sys; sys.exit(os.path.exists(sys.argv[1]))', fails)
    )
    result = tmp_path / 'b' / 'result'
    second = Stage(
        'b',
        'second',
        python('import os, sys; os.makedirs(sys.argv[1])', result),
        after=('a',),
        work_dir=tmp_path / 'b',
    )
    report = Stage(
        'report',
        'report',
        python('import os, sys; print("there:", os.listdir(sys.argv[1]))', tmp_path),
        after=('a', 'b', 'c'),
        tolerant=True,
        show_all=True,
    )
    stages = [first, second, Stage('c', 'third', note(tmp_path, 'c')), report]
    run(tmp_path, stages)
    assert result.is_dir()
    fails.touch()
    Ledger(tmp_path / 'state', stages).forget([first])
    with pytest.raises(UserError, match=r'Left out:\n  second \(needs a\)'):
        run(tmp_path, stages)
    assert not (tmp_path / 'b').exists()
    assert (tmp_path / 'logs' / 'outdated' / 'b' / 'result').is_dir()
    assert "'b'" not in (tmp_path / 'logs' / 'report.log').read_text().rpartition('there:')[2]

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import os
import queue
import sys
import time

import pytest

from muscle_mm.pipeline.stage_command import StageCommand


@pytest.fixture
def start(tmp_path):
    """Start a Python script; its lines and at last its exit code come through a queue."""
    seen = queue.Queue()

    def run(script, *, python=sys.executable):
        claim = os.open(tmp_path / 'claim', os.O_RDWR | os.O_CREAT)
        command = [python, '-u', '-c', script]
        log = tmp_path / 'logs' / 'stage.log'
        return StageCommand(command, dict(os.environ), log, claim, seen.put, seen.put)

    run.seen = seen
    run.log = tmp_path / 'logs' / 'stage.log'
    return run


def test_output_goes_into_the_log_and_the_exit_code_comes_last(start):
    for script in ("print('first')", "print('second'); raise SystemExit(3)"):
        command = start(script)
        assert start.seen.get(timeout=30) in ('first\n', 'second\n')
        code = start.seen.get(timeout=30)
        command.release()
    assert code == 3
    text = start.log.read_text()
    assert text.count(f'$ {sys.executable} -u -c print') == 2
    assert text.index('\nfirst\n') < text.index('\nsecond\n')


def test_one_that_does_not_end_by_itself_is_killed_with_its_own_processes(start):
    stubborn = (
        'import os, signal, time\n'
        'signal.signal(signal.SIGTERM, signal.SIG_IGN)\n'
        'print(os.fork() and os.getpid())\n'
        'time.sleep(600)\n'
    )
    command = start(stubborn)
    for _ in range(2):
        start.seen.get(timeout=30)
    begin = time.monotonic()
    StageCommand.stop([command], grace=0.2)
    # The output ends when the last of its processes has ended.
    assert start.seen.get(timeout=30) == -9
    assert time.monotonic() - begin < 30
    assert command.seconds > 0


def test_what_cannot_be_started_is_said_at_once(start):
    with pytest.raises(OSError, match='no-such-python'):
        start('', python='/no-such-python')


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='needs a disk that is full')
def test_a_full_disk_does_not_keep_it_from_ending(start):
    start.log.parent.mkdir()
    start.log.symlink_to('/dev/full')
    command = start("print('a'); print('b')")
    seen = []
    while 0 not in seen:
        seen.append(start.seen.get(timeout=30))
    command.release()
    assert any(f'{start.log} cannot be written: ' in str(line) for line in seen)

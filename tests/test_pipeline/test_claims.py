# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import os
import signal
import subprocess
import sys
import time

from muscle_mm.pipeline.claims import Claims
from muscle_mm.pipeline.stage import Stage

STAGE = Stage('finetune/lung/muscle', 'tune', ('true',))


def test_a_stage_is_claimed_once(tmp_path):
    mine, others = Claims(tmp_path / 'state'), Claims(tmp_path / 'state')
    claim = mine.claim(STAGE)
    assert others.claim(STAGE) is None
    other = others.claim(Stage('finetune/lung/scratch', 'tune', ('true',)))
    assert other is not None
    os.close(claim)
    again = others.claim(STAGE)
    assert again is not None
    os.close(other)
    os.close(again)


def test_a_stage_is_held_for_a_moment(tmp_path):
    mine, others = Claims(tmp_path), Claims(tmp_path)
    with mine.held(STAGE) as held:
        assert held
        with others.held(STAGE) as held_too:
            assert not held_too
        assert others.claim(STAGE) is None  # what was not held has released nothing
    with others.held(STAGE) as held:
        assert held


def test_a_command_that_outlives_its_launch_keeps_the_claim(tmp_path):
    claim = Claims(tmp_path).claim(STAGE)
    process = subprocess.Popen(
        [sys.executable, '-c', 'import time; time.sleep(60)'], pass_fds=[claim]
    )
    os.close(claim)
    assert Claims(tmp_path).claim(STAGE) is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    end = time.monotonic() + 10
    while (claim := Claims(tmp_path).claim(STAGE)) is None and time.monotonic() < end:
        time.sleep(0.02)
    assert claim is not None
    os.close(claim)

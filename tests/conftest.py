# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What tests of several folders share."""

import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def run_two_processes(tmp_path: Path) -> Callable[..., list[str]]:
    """Run a script as two processes of one job on the CPU, and give what each has printed.

    The script is Python, indented as in the test; further arguments are those of its command line.
    """

    def run(source: str, *arguments: object) -> list[str]:
        script = tmp_path / 'script.py'
        script.write_text(textwrap.dedent(source))
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            port = probe.getsockname()[1]
        environment = {
            **os.environ,
            'PYTHONPATH': os.pathsep.join(
                [str(Path(__file__).resolve().parents[1]), os.environ.get('PYTHONPATH', '')]
            ),
            'OMP_NUM_THREADS': '1',
            'CUDA_VISIBLE_DEVICES': '',
            'MASTER_ADDR': '127.0.0.1',
            'MASTER_PORT': str(port),
            'WORLD_SIZE': '2',
        }
        processes = [
            subprocess.Popen(
                [sys.executable, str(script), *map(str, arguments)],
                env={**environment, 'RANK': str(rank), 'LOCAL_RANK': str(rank)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in range(2)
        ]
        printed = []
        for process in processes:
            output, errors = process.communicate(timeout=100)
            assert process.returncode == 0, errors[-2000:]
            printed.append(output)
        return printed

    return run

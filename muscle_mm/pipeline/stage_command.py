# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The command of a stage, while it runs."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from muscle_mm.pipeline.processes import end_with_parent, signal_group


class StageCommand:
    """A command in a session of its own, whose output goes into a log.

    It ends with the process that has started it, however that one ends, and so do its own.

    Args:
        command (Sequence[str]): The command.
        environment (Mapping[str, str]): All its environment variables.
        log_path (Path): The log, which is appended to. Its folder is the command's working
            directory; made if missing.
        claim (int): File descriptor of the stage's claim, which the command inherits.
        on_line (Callable[[str], None]): Called with each line of output, and one that says so where
            the log cannot be written.
        on_end (Callable[[int], None]): Called with the exit code, after the last line. Both are
            called from another thread.

    Raises:
        OSError: If the command cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        log_path: Path,
        claim: int,
        on_line: Callable[[str], None],
        on_end: Callable[[int], None],
    ) -> None:
        self._claim = claim
        self._start = time.monotonic()
        log_path.parent.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            command,
            env=environment,
            cwd=log_path.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding='utf-8',
            errors='replace',
            # Ctrl-C reaches this process alone, which then stops its commands with their workers.
            start_new_session=True,
            preexec_fn=end_with_parent(),
            pass_fds=[claim],
        )

        def follow() -> None:
            assert self._process.stdout is not None
            try:
                with log_path.open('a', encoding='utf-8') as log:
                    log.write(f'$ {" ".join(command)}\n')
                    for line in self._process.stdout:
                        log.write(line)
                        log.flush()
                        on_line(line)
            except OSError as error:  # a full disk: the command must not wait for a reader
                on_line(f'{log_path} cannot be written: {error}\n')
                for line in self._process.stdout:
                    on_line(line)
            finally:
                on_end(self._process.wait())

        threading.Thread(target=follow, daemon=True).start()

    @property
    def seconds(self) -> float:
        """float: Time since its start."""
        return time.monotonic() - self._start

    def release(self) -> None:
        """Give up the claim, after the end."""
        os.close(self._claim)

    @staticmethod
    def stop(commands: Sequence['StageCommand'], grace: float) -> None:
        """End commands with their worker processes, all at once, and give up their claims.

        Args:
            commands (Sequence[StageCommand]): Commands that may still run.
            grace (float): How long they may take to end by themselves, in seconds.
        """
        for command in commands:
            signal_group(command._process, signal.SIGTERM)
        deadline = time.monotonic() + grace
        for command in commands:
            try:
                command._process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                signal_group(command._process, signal.SIGKILL)
            command.release()

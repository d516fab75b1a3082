# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Run the stages of a pipeline, some at the same time, and show their progress."""

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from muscle_mm.pipeline.checkpoints import fill_in_checkpoints
from muscle_mm.pipeline.ledger import Ledger
from muscle_mm.pipeline.output import duration, error_in, progress_of
from muscle_mm.pipeline.stage import Stage
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.processors import available_processors

#: How long a stopped command may take to end by itself, in seconds.
_GRACE = 15.0


class PipelineRunner:
    """Runs stages in order; those that need nothing of each other share the processor cores.

    A model of this size gains little from a second core, two trainings side by side gain nearly all
    of it.

    Args:
        stages (Sequence[Stage]): The stages, each after those it needs.
        ledger (Ledger): What is done.
        log_folder (Path): Gets the whole output of each stage.
        jobs (int): Stages at the same time.
        python_path (Path): Put before the module search path of the commands.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        ledger: Ledger,
        log_folder: Path,
        jobs: int,
        python_path: Path,
    ) -> None:
        self.stages = list(stages)
        self.ledger = ledger
        self.log_folder = log_folder
        self.jobs = jobs
        self.python_path = python_path
        self.running: dict[str, subprocess.Popen[str]] = {}
        self._started: dict[str, float] = {}
        self._ended: queue.Queue[tuple[Stage, int]] = queue.Queue()
        self._print_lock = threading.Lock()
        self._begin = time.monotonic()

    def run(self) -> None:
        """Run everything that is not done.

        Raises:
            UserError: If a stage fails; the message names its log.
            KeyboardInterrupt: If the user stops it; the commands have ended by then.
        """
        done = {stage.name for stage in self.stages if self.ledger.is_done(stage)}
        # What follows a stage that runs again runs again as well.
        for stage in self.stages:
            if stage.name in done and not done.issuperset(stage.after):
                done.discard(stage.name)
        waiting = [stage for stage in self.stages if stage.name not in done]
        for stage in self.stages:
            if stage.name in done:
                self._say(f'[{self._number(stage)}] {stage.title}: done before')
        try:
            while waiting or self.running:
                for stage in self._startable(waiting, done):
                    waiting.remove(stage)
                    self._start(stage)
                # A short wait, because a blocking one cannot be interrupted on every platform.
                try:
                    stage, code = self._ended.get(timeout=0.5)
                except queue.Empty:
                    continue
                del self.running[stage.name]
                if code != 0:
                    raise UserError(self._failure(stage, code))
                self.ledger.mark(stage, 'done')
                done.add(stage.name)
                took = duration(time.monotonic() - self._started[stage.name])
                self._say(f'[{self._number(stage)}] {stage.title}: done in {took}')
        finally:
            self._stop_all()

    def _startable(self, waiting: Sequence[Stage], done: set[str]) -> list[Stage]:
        """Choose the stages to start now, in the order of the plan."""
        chosen: list[Stage] = []
        for stage in waiting:
            busy = len(self.running) + len(chosen)
            if busy >= self.jobs or (stage.alone and busy):
                break
            if done.issuperset(stage.after):
                chosen.append(stage)
                if stage.alone:
                    break
        if any(stage.alone for stage in self.stages if stage.name in self.running):
            return []
        return chosen

    def _start(self, stage: Stage) -> None:
        command = [fill_in_checkpoints(part) for part in stage.command]
        if stage.resume_options and self.ledger.was_interrupted(stage):
            command[3:3] = stage.resume_options
            how = 'going on'
        else:
            how = 'starting'
            if stage.work_dir is not None and not stage.lasting and stage.work_dir.is_dir():
                shutil.rmtree(stage.work_dir)
        elapsed = duration(time.monotonic() - self._begin)
        self._say(f'[{self._number(stage)}] {stage.title}: {how} at {elapsed}')
        self.ledger.mark(stage, 'started')
        log_path = self.log_path(stage)
        log_path.parent.mkdir(parents=True, exist_ok=True)
        threads = available_processors()
        if not stage.alone:
            threads = max(1, threads // self.jobs)
        environment = {
            **os.environ,
            'OMP_NUM_THREADS': str(threads),
            'MKL_NUM_THREADS': str(threads),
            'PYTHONUNBUFFERED': '1',
            'PYTHONPATH': os.pathsep.join(
                filter(None, [str(self.python_path), os.environ.get('PYTHONPATH')])
            ),
            **stage.environment,
        }
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=self.log_folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding='utf-8',
            errors='replace',
            # Ctrl-C reaches this process alone, which then stops its commands with their workers.
            start_new_session=True,
        )
        self.running[stage.name] = process
        self._started[stage.name] = time.monotonic()
        threading.Thread(
            target=self._follow, args=(stage, process, log_path, command), daemon=True
        ).start()

    def _follow(
        self, stage: Stage, process: 'subprocess.Popen[str]', log_path: Path, command: list[str]
    ) -> None:
        """Copy the output of a command to its log and show its progress."""
        assert process.stdout is not None
        tag = '' if stage.alone or self.jobs == 1 else f'{self._tag(stage)}: '
        with log_path.open('a', encoding='utf-8') as log:
            log.write(f'$ {" ".join(command)}\n')
            for line in process.stdout:
                log.write(line)
                log.flush()
                shown = line.rstrip() if stage.show_all else progress_of(line)
                if shown:
                    self._say(f'      {tag}{shown}')
        self._ended.put((stage, process.wait()))

    def log_path(self, stage: Stage) -> Path:
        """Name the log of a stage.

        Args:
            stage (Stage): The stage.

        Returns:
            Path: The log.
        """
        return self.log_folder / f'{stage.name.replace("/", "-")}.log'

    def _failure(self, stage: Stage, code: int) -> str:
        log = self.log_path(stage)
        # A log is appended to; only the last command in it is meant.
        reason = error_in(log.read_text(encoding='utf-8', errors='replace').rpartition('\n$ ')[2])
        message = f'{stage.title}: failed with exit code {code}'
        if code == -signal.SIGKILL:
            message += ' (killed, most likely for lack of memory)'
        return f'{message}{": " + reason if reason else ""}. The whole output: {log}'

    def _stop_all(self) -> None:
        """End the commands that still run, with their worker processes."""
        for process in self.running.values():
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        for process in self.running.values():
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL)
        self.running.clear()

    def _number(self, stage: Stage) -> str:
        width = len(str(len(self.stages)))
        return f'{self.stages.index(stage) + 1:{width}d}/{len(self.stages)}'

    @staticmethod
    def _tag(stage: Stage) -> str:
        return '/'.join(stage.name.split('/')[1:3]) or stage.name

    def _say(self, text: str) -> None:
        with self._print_lock:
            print(text, flush=True)


def _signal_group(process: 'subprocess.Popen[str]', number: int) -> None:
    """Send a signal to a command and all that it has started."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Run the stages of a pipeline, some at the same time, and show their progress."""

import contextlib
import os
import queue
import shutil
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from muscle_mm.pipeline.checkpoints import fill_in_checkpoints
from muscle_mm.pipeline.claims import Claims
from muscle_mm.pipeline.devices import visible_gpus
from muscle_mm.pipeline.ledger import Ledger
from muscle_mm.pipeline.output import duration, error_in, progress_of
from muscle_mm.pipeline.slurm import slurm_command, slurm_environment
from muscle_mm.pipeline.stage import Stage
from muscle_mm.pipeline.stage_command import StageCommand
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.processors import available_processors

#: How long a stopped command may take to end by itself, in seconds.
_GRACE = 15.0


class PipelineRunner:
    """Runs stages in order; those that need nothing of each other share the processor cores.

    A model of this size gains little from a second core, two trainings side by side gain nearly all
    of it. Of several GPUs each stage has one, the least busy. Several launches may share the
    ledger's folder, also from several machines: each stage that another one has claimed is left to
    it. A stage that fails stops only what needs it.

    Args:
        stages (Sequence[Stage]): The stages, each after those it needs.
        ledger (Ledger): What is done.
        log_folder (Path): Gets the whole output of each stage.
        jobs (int): Stages at the same time.
        python_path (Path): Put before the module search path of the commands.
        partition (str, optional): Partition of a Slurm cluster, to which the stages with a config
            (trainings) are sent. Defaults to None: all run here.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        ledger: Ledger,
        log_folder: Path,
        jobs: int,
        python_path: Path,
        partition: str | None = None,
    ) -> None:
        self.stages = list(stages)
        self.ledger = ledger
        self.log_folder = log_folder
        self.jobs = jobs
        self.python_path = python_path
        self.partition = partition
        self.running: dict[str, StageCommand] = {}
        self.done: set[str] = set()
        #: Of each stage that failed here the message, of each that was left out for it the reason.
        self.failed: dict[str, str] = {}
        self.left_out: dict[str, str] = {}
        self._waiting: list[Stage] = []
        #: Stages that go on with a former run; how long they take is not known.
        self._resumed: set[str] = set()
        self._claims = Claims(ledger.folder)
        self._gpus = visible_gpus()
        #: GPU of each running stage, where there are several.
        self._gpu_of: dict[str, str] = {}
        self._told_to_wait = False
        self._ended: queue.Queue[tuple[Stage, int]] = queue.Queue()
        self._print_lock = threading.Lock()
        self._begin = time.monotonic()

    def run(self) -> None:
        """Run everything that is not done.

        Raises:
            UserError: If stages have failed, once all others have ended; the message names each,
                its log, and what was left out for it.
            KeyboardInterrupt: If the user stops it; the commands have ended by then.
        """
        for stage in self.stages:
            # What follows a stage that runs again runs again as well.
            if self.ledger.is_done(stage) and self.done.issuperset(stage.after):
                self.done.add(stage.name)
                self._say(f'[{self._number(stage)}] {stage.title}: done before')
                continue
            if not self.done.issuperset(stage.after) and not stage.tolerant:
                self._forget(stage)
            self._waiting.append(stage)
        try:
            while self._waiting or self.running:
                self._leave_out_what_cannot_run()
                self._start_what_can_run()
                if not self.running and not self._waiting:
                    break
                # A short wait, because a blocking one cannot be interrupted on every platform.
                try:
                    stage, code = self._ended.get(timeout=0.5)
                except queue.Empty:
                    self._tell_to_wait()
                    continue
                self._end(stage, code)
        finally:
            StageCommand.stop(list(self.running.values()), _GRACE)
            self.running.clear()
        if self.failed:
            raise UserError(self._failures())

    def _forget(self, stage: Stage) -> None:
        """Let a stage start afresh, done or begun, unless another launch is at it."""
        with self._claims.held(stage) as held:
            if held:
                self.ledger.forget([stage])

    def _leave_out_what_cannot_run(self) -> None:
        """Settle the stages that need one that has failed, in the order of the plan."""
        for stage in list(self._waiting):
            missing = [name for name in stage.after if name in self.failed | self.left_out]
            settled = self.done | set(self.failed) | set(self.left_out)
            something = not stage.after or bool(self.done.intersection(stage.after))
            if not missing or (stage.tolerant and (something or not settled >= set(stage.after))):
                continue
            self._waiting.remove(stage)
            self._put_aside(stage)
            self.left_out[stage.name] = f'{stage.title} (needs {missing[0]})'
            self._say(f'[{self._number(stage)}] {stage.title}: left out, needs {missing[0]}')

    def _put_aside(self, stage: Stage) -> None:
        """Move what a former plan has left in a stage's folder out of the report's sight."""
        if stage.work_dir is None or stage.lasting or not stage.work_dir.is_dir():
            return
        with self._claims.held(stage) as held:
            if held and not self.ledger.is_done(stage):
                aside = self.log_folder / 'outdated' / stage.name
                shutil.rmtree(aside, ignore_errors=True)
                aside.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(stage.work_dir, aside)
                self.ledger.forget([stage])

    def _start_what_can_run(self) -> None:
        """Start stages in the order of the plan, as many as there are jobs for."""
        settled = self.done | set(self.failed) | set(self.left_out)
        alone = {stage.name for stage in self.stages if stage.alone}
        for stage in list(self._waiting):
            if len(self.running) >= self.jobs or alone.intersection(self.running):
                return
            if not (settled if stage.tolerant else self.done).issuperset(stage.after):
                continue
            if stage.alone and self.running:
                return
            claim = None if self._is_done_elsewhere(stage) else self._claims.claim(stage)
            if claim is None:
                continue
            # It may have been finished between the look and the claim.
            if self._is_done_elsewhere(stage):
                os.close(claim)
                continue
            self._waiting.remove(stage)
            try:
                self._start(stage, claim)
            except (UserError, OSError) as error:
                os.close(claim)
                self._fail(stage, f'{stage.title}: cannot start: {error}')

    def _is_done_elsewhere(self, stage: Stage) -> bool:
        """Take note of what another launch has done since this one began."""
        if stage.name in self.done:
            return True
        # What a report says depends on what there is now.
        if stage.tolerant or not self.ledger.is_done(stage):
            return False
        self._waiting.remove(stage)
        self.done.add(stage.name)
        self._say(f'[{self._number(stage)}] {stage.title}: done by another launch')
        return True

    def _tell_to_wait(self) -> None:
        """Say once why nothing happens."""
        if self._waiting and not self.running and not self._told_to_wait:
            self._told_to_wait = True
            self._say(
                f'{len(self._waiting)} stages are being run by another launch, or need those: '
                'waiting for it'
            )

    def _start(self, stage: Stage, claim: int) -> None:
        command = [fill_in_checkpoints(part) for part in stage.command]
        if stage.resume_options and self.ledger.was_interrupted(stage):
            self._resumed.add(stage.name)
            command += stage.resume_options
        elif stage.work_dir is not None and not stage.lasting and stage.work_dir.is_dir():
            shutil.rmtree(stage.work_dir)
        environment = self._environment(stage)
        if self.partition is not None and stage.config is not None:
            command = slurm_command(command, self.partition, stage.name.replace('/', '-'))
        elapsed = duration(time.monotonic() - self._begin)
        how = 'going on' if stage.name in self._resumed else 'starting'
        self._say(f'[{self._number(stage)}] {stage.title}: {how} at {elapsed}')
        self.ledger.mark(stage, 'started')
        tag = '' if stage.alone or self.jobs == 1 else f'{self._tag(stage)}: '

        def show(line: str) -> None:
            shown = line.rstrip() if stage.show_all else progress_of(line)
            if shown:
                self._say(f'      {tag}{shown}')

        self.running[stage.name] = StageCommand(
            command,
            environment,
            self.log_path(stage),
            claim,
            on_line=show,
            on_end=lambda code: self._ended.put((stage, code)),
        )

    def _environment(self, stage: Stage) -> dict[str, str]:
        """Give all environment variables of a stage's command."""
        search_path = filter(None, [str(self.python_path), os.environ.get('PYTHONPATH')])
        environment = {
            **os.environ,
            'PYTHONUNBUFFERED': '1',
            'PYTHONPATH': os.pathsep.join(search_path),
            **stage.environment,
        }
        if self.partition is not None and stage.config is not None:
            return environment | slurm_environment()
        if len(self._gpus) > 1:
            used = [self._gpu_of.get(name) for name in self.running]
            self._gpu_of[stage.name] = min(self._gpus, key=used.count)
            environment['CUDA_VISIBLE_DEVICES'] = self._gpu_of[stage.name]
        threads = max(1, available_processors() // (1 if stage.alone else self.jobs))
        return environment | dict.fromkeys(('OMP_NUM_THREADS', 'MKL_NUM_THREADS'), str(threads))

    def _end(self, stage: Stage, code: int) -> None:
        """Take note of the end of a command."""
        command = self.running.pop(stage.name)
        seconds = command.seconds
        if code == 0:
            resumed = stage.name in self._resumed
            self.ledger.mark(stage, 'done', None if resumed else round(seconds, 1))
            self.done.add(stage.name)
            self._say(f'[{self._number(stage)}] {stage.title}: done in {duration(seconds)}')
        else:
            self._fail(stage, self._failure(stage, code))
        command.release()

    def _fail(self, stage: Stage, message: str) -> None:
        self.failed[stage.name] = message
        self._say(f'[{self._number(stage)}] {message}')

    def _failures(self) -> str:
        """List what has failed, with its logs, and what was left out."""
        if len(self.stages) == 1:
            return next(iter(self.failed.values()))
        lines = [
            f'{len(self.failed)} of {len(self.stages)} stages failed:',
            *(f'  {message}' for message in self.failed.values()),
        ]
        if self.left_out:
            lines += ['Left out:', *(f'  {reason}' for reason in self.left_out.values())]
        return '\n'.join([*lines, 'The same command tries them again.'])

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
        # A full disk may have left none.
        text = log.read_text(encoding='utf-8', errors='replace') if log.is_file() else ''
        # A log is appended to; only the last command in it is meant.
        reason = error_in(text.rpartition('\n$ ')[2])
        message = f'{stage.title}: failed with exit code {code}'
        if code == -signal.SIGKILL:
            message += ' (killed, most likely for lack of memory)'
        return f'{message}{": " + reason.rstrip(".") if reason else ""}. The whole output: {log}'

    def _number(self, stage: Stage) -> str:
        width = len(str(len(self.stages)))
        return f'{self.stages.index(stage) + 1:{width}d}/{len(self.stages)}'

    @staticmethod
    def _tag(stage: Stage) -> str:
        return stage.name.partition('/')[2] or stage.name

    def _say(self, text: str) -> None:
        # A terminal that is gone does not end trainings.
        with self._print_lock, contextlib.suppress(OSError):
            print(text, flush=True)

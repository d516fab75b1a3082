# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Checkpoints that a kill cannot spoil."""

from collections import deque
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner, find_latest_checkpoint
from torch import Tensor

from muscle_mm.engine.process_agreement import refuse_different_weights
from muscle_mm.engine.whole_file_backend import WHOLE_FILES
from muscle_mm.registry import HOOKS
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.model_wrapper import unwrap_model
from muscle_mm.utils.safe_loading import load_checkpoint_file
from muscle_mm.utils.whole_file import whole_file


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """mmengine's ``CheckpointHook``, with which a kill at any moment leaves a good checkpoint.

    - A checkpoint is written under another name, and takes its place once it is complete.
    - Then ``last_checkpoint`` changes, and only then the oldest checkpoint, or the best one so far,
      is removed: for a moment there is one more than ``max_keep_ckpts``. mmengine removes first.
    - With several processes, weights that are not the same in all of them are not saved.
    - Before mmengine loads a file, for ``resume`` as for ``load_from``, it is read with
      ``weights_only=True``: a file that is cut off or that holds more than data is refused, and
      the message names the checkpoint before it. An address in place of a file is refused:
      mmengine would not read it so.
    - A run is not resumed from weights alone (a best checkpoint), and a resumed one is as fast as
      one that was not interrupted.

    Arguments are those of mmengine's hook. With ``backend_args`` or an ``out_dir`` that is no local
    folder, writing is left to that backend.

    Raises:
        UserError: If a file cannot be loaded safely or resumed from, or weights differ between
            processes.
    """

    # What mmengine's hook leaves without a type.
    backend_args: dict[str, Any] | None
    keep_ckpt_ids: deque[int]

    def before_run(self, runner: Runner) -> None:
        """Look at the file that is about to be loaded.

        Args:
            runner (Runner): The runner.
        """
        path = runner._load_from
        if path is None and runner._resume:
            path = find_latest_checkpoint(runner.work_dir)
        if path is None:
            return
        if '://' in str(path):
            raise UserError(
                f'load_from={path}: mmengine would execute what a downloaded file holds. Download '
                'it yourself and give the file: it is then read as data alone.'
            )
        try:
            content = load_checkpoint_file(path)
        except UserError as error:
            other = self._sound_checkpoint_besides(Path(path)) if runner._resume else None
            if other is None:
                raise
            raise UserError(
                f'{error} The one before it is sound: go on from there with --resume {other} '
                f'(or --cfg-options resume=True load_from={other}).'
            ) from error
        if runner._resume and 'optimizer' not in content:
            raise UserError(
                f'{path} holds weights alone, as best checkpoints do: without the state of '
                'optimizer and learning rate no training can go on from it. Resume from '
                f'{self.filename_tmpl.format("N")}, or start anew from these weights: load_from '
                'without resume.'
            )

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Take an optimizer's counters of steps back to the CPU, where they were.

        mmengine resumes with all tensors on the GPU. torch leaves the counters where they were
        loaded, and would wait for the GPU twice for each weight at each step to read them.

        Args:
            runner (Runner): The runner.
            checkpoint (dict): What the file of ``load_from`` or ``resume`` holds.
        """
        for state in checkpoint.get('optimizer', {}).get('state', {}).values():
            if isinstance(state.get('step'), Tensor):
                state['step'] = state['step'].cpu()

    def before_train(self, runner: Runner) -> None:
        """Take the backend that writes whole files, where mmengine would take local ones.

        Args:
            runner (Runner): The runner.
        """
        super().before_train(runner)
        if self.backend_args is None and isinstance(self.file_backend, LocalBackend):
            self.backend_args = dict(backend=WHOLE_FILES)

    def _sound_checkpoint_besides(self, path: Path) -> Path | None:
        """Find the newest checkpoint of the same folder that can be loaded."""
        others = sorted(
            path.parent.glob(self.filename_tmpl.format('*')),
            key=lambda other: other.stat().st_mtime,
            reverse=True,
        )
        for other in others:
            if other.name == path.name:
                continue
            try:
                load_checkpoint_file(other)
            except UserError:
                continue
            return other
        return None

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        """Write, then point to it, then remove the oldest."""
        refuse_different_weights(unwrap_model(runner.model))
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        kept: list[int] = []
        if self.max_keep_ckpts > 0:
            kept = [other for other in self.keep_ckpt_ids if other != step] + [step]
            # Together with what is removed below: after a kill before that, a resume removes it.
            runner.message_hub.update_info('keep_ckpt_ids', kept)
            self.keep_ckpt_ids = deque(kept, self.max_keep_ckpts)
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if not is_main_process():
            return
        with whole_file(Path(runner.work_dir) / 'last_checkpoint') as unfinished:
            unfinished.write_text(str(self.last_ckpt))
        for outdated in kept[: -self.max_keep_ckpts]:
            self._remove(
                self.file_backend.join_path(self.out_dir, self.filename_tmpl.format(outdated))
            )

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, Any]) -> None:
        """Write a better checkpoint, then remove the best one so far."""
        if not self.save_best:
            return
        refuse_different_weights(unwrap_model(runner.model))
        before = self._best_paths()
        # mmengine removes what it knows of before it writes.
        self._set_best_paths(dict.fromkeys(before))
        super()._save_best_checkpoint(runner, metrics)
        now = self._best_paths()
        self._set_best_paths({key: now.get(key) or path for key, path in before.items()})
        for key, path in before.items():
            if path and now.get(key) not in (None, path):
                self._remove(path)

    def _best_paths(self) -> dict[str, str | None]:
        """Of each metric that ``save_best`` names, or of the only one under ''."""
        if hasattr(self, 'best_ckpt_path_dict'):
            return dict(self.best_ckpt_path_dict)
        return {'': self.best_ckpt_path}

    def _set_best_paths(self, paths: dict[str, str | None]) -> None:
        if hasattr(self, 'best_ckpt_path_dict'):
            self.best_ckpt_path_dict = paths
        else:
            self.best_ckpt_path = paths['']

    def _remove(self, path: str) -> None:
        if is_main_process() and self.file_backend.isfile(path):
            self.file_backend.remove(path)

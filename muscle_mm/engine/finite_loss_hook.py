# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The hook that stops a training whose loss is no longer a number."""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.dist import get_dist_info
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner
from torch import Tensor

from muscle_mm.engine.batch_names import files_by_set
from muscle_mm.registry import HOOKS
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.model_wrapper import unwrap_model
from muscle_mm.utils.whole_file import whole_file

#: A message names this many files of a set; the file beside the log names all.
_FILES_SHOWN = 3


class _Iteration(NamedTuple):
    """What is kept of an iteration until its loss has been looked at."""

    number: int
    losses: dict[str, Tensor]
    files: dict[str, list[str]]
    learning_rate: float


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stops at the first loss that is NaN or infinite, and says which films it was computed from.

    The message names iteration, learning rate, sets and files; all files of the batch are in
    ``non_finite_loss.json`` in the work directory. Of several processes each tells of its own part
    of the batch, in ``non_finite_loss_0.json`` and so on: one bad film spoils the loss of all.
    Losses and, before a checkpoint, weights are looked at before mmengine's ``CheckpointHook``
    writes (and removes the oldest checkpoint), so that a checkpoint saved before is not replaced by
    a broken one.

    On a CPU each loss is looked at at once. To look at a loss on a GPU is to wait for the GPU, so
    there losses are kept and looked at together every few iterations, before a validation and
    before a checkpoint; the message still names the first bad one.

    In its place mmdet's ``CheckInvalidLossHook`` asserts, without a name.

    Args:
        interval (int): Iterations from one look to the next on a GPU. Defaults to 10.

    Raises:
        UserError: While training, if a loss or, before a checkpoint, a weight is not finite.
    """

    # Before the checkpoint hook (VERY_LOW), and before a momentum encoder takes the weights over.
    priority = 'ABOVE_NORMAL'

    def __init__(self, interval: int = 10) -> None:
        if interval < 1:
            raise ValueError(f'FiniteLossHook: interval={interval} must be at least 1.')
        self.interval = interval
        self._kept: list[_Iteration] = []

    def before_train(self, runner: Runner) -> None:
        """Forget what an earlier training left.

        Args:
            runner (Runner): The runner.
        """
        self._kept.clear()

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Keep the iteration's loss, and look at it where that costs nothing or has to be.

        Args:
            runner (Runner): The runner.
            batch_idx (int): Unused.
            data_batch (Any): Batch as the data loader gave it. Defaults to None.
            outputs (dict, optional): The losses by name. Defaults to None.
        """
        loss = (outputs or {}).get('loss')
        if outputs is None or not isinstance(loss, Tensor):
            return
        rate = next(iter(runner.optim_wrapper.get_lr().values()))
        learning_rate = float(rate[0] if isinstance(rate, list) else rate)
        # Detached: the graph behind a loss is not kept alive.
        losses = {
            name: value.detach() for name, value in outputs.items() if isinstance(value, Tensor)
        }
        self._kept.append(
            _Iteration(runner.iter + 1, losses, files_by_set(data_batch), learning_rate)
        )
        saves = _checkpoint_follows(runner)
        if saves or loss.device.type == 'cpu' or len(self._kept) >= self.interval:
            self._look_at_losses(runner)
        if saves:
            self._look_at_weights(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Look at all that is left, before a checkpoint of the epoch.

        Args:
            runner (Runner): The runner.
        """
        self._look_at_losses(runner)
        self._look_at_weights(runner)

    def before_val(self, runner: Runner) -> None:
        """Look at all that is left: no metric shall be the first to meet broken weights.

        Args:
            runner (Runner): The runner.
        """
        self._look_at_losses(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep any other broken checkpoint from being written.

        Args:
            runner (Runner): The runner.
            checkpoint (dict): What is about to be written.
        """
        self._look_at_losses(runner)
        self._look_at_weights(runner)

    def _look_at_losses(self, runner: Runner) -> None:
        if not self._kept:
            return
        kept, self._kept = self._kept, []
        losses = torch.stack([one.losses['loss'].float().mean() for one in kept])
        finite = losses.isfinite().tolist()  # one wait for all of them
        if not all(finite):
            raise UserError(self._describe(kept[finite.index(False)], Path(runner.work_dir)))

    @staticmethod
    def _describe(bad: _Iteration, work_dir: Path) -> str:
        """Write the batch's files down, and the message."""
        values = {name: float(value.float().mean()) for name, value in bad.losses.items()}
        record = dict(
            iteration=bad.number,
            learning_rate=bad.learning_rate,
            losses={name: str(value) for name, value in values.items()},
            files=bad.files,
        )
        rank, world_size = get_dist_info()
        several = world_size > 1
        path = work_dir / f'non_finite_loss{f"_{rank}" if several else ""}.json'
        work_dir.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as unfinished:
            unfinished.write_text(json.dumps(record, indent=1) + '\n')
        listed = []
        for name, files in bad.files.items():
            shown = ', '.join(files[:_FILES_SHOWN])
            more = f' and {len(files) - _FILES_SHOWN} more' if len(files) > _FILES_SHOWN else ''
            films = f'{len(files)} film{"s" * (len(files) != 1)}'
            listed.append(f'{name} ({films}: {shown}{more})' if files else name)
        broken = ', '.join(
            f'{name}={value}' for name, value in values.items() if not math.isfinite(value)
        )
        return (
            f'the loss of iteration {bad.number}{f" in process {rank}" if several else ""} is not '
            f'finite ({broken}; learning rate {bad.learning_rate:.3g}). Its batch '
            f'is from {"; ".join(listed) or "an unnamed set"}. All of its files are in {path}. '
            'Look at them; if they are sound, lower optim_wrapper.optimizer.lr, or set '
            'optim_wrapper.clip_grad=dict(max_norm=10.0), and '
            'go on from the last checkpoint with --resume.'
            + (
                ' A loss that is not finite in one process breaks the weights of all: look first '
                'at the process that names the smallest iteration.'
                if several
                else ''
            )
        )

    @staticmethod
    def _look_at_weights(runner: Runner) -> None:
        """One wait for all weights and buffers."""
        state = {
            name: value
            for name, value in unwrap_model(runner.model).state_dict().items()
            if value.is_floating_point()
        }
        finite = torch.stack([value.isfinite().all() for value in state.values()]).tolist()
        broken = [name for name, fine in zip(state, finite, strict=True) if not fine]
        if broken:
            raise UserError(
                f'{len(broken)} of {len(state)} weights are not finite after iteration '
                f'{runner.iter}, the first is {broken[0]}: no checkpoint is written. Lower '
                'optim_wrapper.optimizer.lr, or set optim_wrapper.clip_grad=dict(max_norm=10.0), '
                'and go on from the last checkpoint with --resume.'
            )


def _checkpoint_follows(runner: Runner) -> bool:
    """Whether a checkpoint hook that counts iterations is about to write."""
    return any(
        isinstance(hook, CheckpointHook)
        and not hook.by_epoch
        and (
            hook.every_n_train_iters(runner, hook.interval, hook.save_begin)
            or (hook.save_last and hook.is_last_train_iter(runner))
        )
        for hook in runner.hooks
    )

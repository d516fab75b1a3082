# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The hook that lets MoCo's momentum encoder follow."""

import math
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from muscle_mm.models.md_moco import MDMoCo
from muscle_mm.models.moco_checkpoints import refuse_other_checkpoint
from muscle_mm.registry import HOOKS
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.model_wrapper import unwrap_model
from muscle_mm.utils.safe_loading import state_dict_of


@HOOKS.register_module()
class MomentumUpdateHook(Hook):
    """Updates the momentum encoder and the queue of ``muscle_mm.MDMoCo`` after each optimizer step.

    With gradient accumulation that is not after each iteration, so the model cannot do it in its
    loss. A step that float16's loss scaling skips counts as one: the keys are enqueued, and the
    momentum encoder moves towards weights that stayed what they were.

    Args:
        end_momentum (float, optional): What the model's momentum has risen to, along half a cosine,
            when training ends; it is logged as ``encoder_momentum``. Source: Grill et al., BYOL,
            NeurIPS 2020, section 3.3, with 1.0. Defaults to None: it stays what it is.

    Raises:
        UserError: If the model is no :class:`MDMoCo`, or the checkpoint of ``load_from`` or
            ``resume`` does not fit it.
        ValueError: If ``end_momentum`` is not between 0 and 1.
    """

    priority = 'NORMAL'

    def __init__(self, end_momentum: float | None = None) -> None:
        if end_momentum is not None and not 0 <= end_momentum <= 1:
            raise ValueError(f'end_momentum={end_momentum}: must be between 0 and 1.')
        self.end_momentum = end_momentum

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Refuse a checkpoint that does not fit, before its weights go into the model.

        Args:
            runner (Runner): The runner.
            checkpoint (dict): What the file of ``load_from`` or ``resume`` holds.
        """
        model = unwrap_model(runner.model)
        if isinstance(model, MDMoCo):  # before_train refuses another one
            refuse_other_checkpoint(model.state_dict(), state_dict_of(checkpoint))

    def before_train(self, runner: Runner) -> None:
        """Tell the model that it will be updated.

        Args:
            runner (Runner): The runner.
        """
        model = unwrap_model(runner.model)
        if not isinstance(model, MDMoCo):
            raise UserError(
                "MomentumUpdateHook needs model=dict(type='muscle_mm.MDMoCo', ...), got "
                f'{type(model).__name__}.'
            )
        model.updated_by_hook = True
        films, num_keys = runner.train_dataloader.dataset, len(model.queue.keys)
        num_films = getattr(films, 'num_films', None) or len(films)
        if num_keys > num_films:
            runner.logger.warning(
                f'model.queue_len={num_keys} is more than the {num_films} films: the negatives of '
                'a film hold earlier views of itself, and keys of encoders that are epochs old. '
                'Give a shorter queue: --cfg-options '
                f'model.queue_len={max(1, num_films // 4)}, or a few batches for a short run.'
            )

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict[str, Any] | None = None
    ) -> None:
        """Tell the model which iteration begins.

        Args:
            runner (Runner): The runner.
            batch_idx (int): Unused.
            data_batch (dict, optional): Unused. Defaults to None.
        """
        unwrap_model(runner.model).iteration = runner.iter

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict[str, Any] | None = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Update, if this iteration ended with an optimizer step.

        Args:
            runner (Runner): The runner.
            batch_idx (int): Unused.
            data_batch (dict, optional): Unused. Defaults to None.
            outputs (dict, optional): Unused. Defaults to None.
        """
        # The wrapper has counted this iteration already; it also steps at the run's last iteration.
        if not runner.optim_wrapper.should_update():
            return
        model = unwrap_model(runner.model)
        if self.end_momentum is None:
            model.update()
            return
        momentum = cosine_momentum(
            model.momentum, self.end_momentum, (runner.iter + 1) / runner.max_iters
        )
        model.update(momentum)
        runner.message_hub.update_scalar('train/encoder_momentum', momentum)


def cosine_momentum(start: float, end: float, progress: float) -> float:
    """Momentum on half a cosine from start to end.

    Args:
        start (float): Momentum before the first step.
        end (float): Momentum of the last step.
        progress (float): Share of the training that is done, in [0, 1].

    Returns:
        float: The momentum.
    """
    return end - (end - start) * (1 + math.cos(math.pi * progress)) / 2

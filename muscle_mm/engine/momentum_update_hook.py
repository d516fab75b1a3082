# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The hook that lets MoCo's momentum encoder follow."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from muscle_mm.models.md_moco import MDMoCo
from muscle_mm.registry import HOOKS
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.model_wrapper import unwrap_model


@HOOKS.register_module()
class MomentumUpdateHook(Hook):
    """Updates the momentum encoder and the queue of ``muscle_mm.MDMoCo`` after each optimizer step.

    With gradient accumulation that is not after each iteration, so the model cannot do it in its
    loss.

    Raises:
        UserError: If the model is no :class:`MDMoCo`.
    """

    priority = 'NORMAL'

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
        if runner.optim_wrapper.should_update():
            unwrap_model(runner.model).update()

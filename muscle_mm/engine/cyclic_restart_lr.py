# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The learning rate of the continual schedule."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.optim import _ParamScheduler
from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin

from muscle_mm.registry import PARAM_SCHEDULERS
from muscle_mm.schedule import Visit, cosine_with_warmup, restart_factor, visit_at
from muscle_mm.utils.errors import UserError


@PARAM_SCHEDULERS.register_module()
class CyclicRestartLR(LRSchedulerMixin, _ParamScheduler):
    """Linear warm-up and cosine decay that start again with each visit.

    The visits come from ``muscle_mm.ContinualMultiTaskHook``, which reads them from the batch
    sampler: they are not repeated in the config. The shape is our choice.

    Args:
        optimizer (Optimizer | OptimWrapper): The optimizer.
        warmup_iters (int): Iterations of linear warm-up of each curve, at most half of it. Defaults
            to 10.
        end_factor (float): Factor at a curve's end, relative to its peak. Defaults to 0.01.
        round_decay (float): Factor by which the peak shrinks from round to round. Defaults to 1.0.
        restart (bool): Whether the curve starts again with each visit; otherwise one curve spans
            all iterations, as in MUSCLE--. Defaults to True.
        task_factors (dict[str, float], optional): Factor of the learning rate in all visits of a
            task, for example ``dict(tbx=0.5)``; 1 for the others. Defaults to None.
        **kwargs: ``begin``, ``end``, ``last_step``, ``by_epoch=False``, ``verbose`` of mmengine's
            schedulers.

    Raises:
        UserError: If it is stepped by epoch, or a task's factor is not positive.
    """

    def __init__(
        self,
        optimizer: Any,
        warmup_iters: int = 10,
        end_factor: float = 0.01,
        round_decay: float = 1.0,
        restart: bool = True,
        task_factors: Mapping[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        if 'by_epoch' not in kwargs:
            # Without the key mmengine's runner counts in epochs, and passes that number as the end.
            kwargs['by_epoch'] = False
            kwargs.pop('end', None)
        if kwargs['by_epoch']:
            raise UserError('CyclicRestartLR steps by iteration: set by_epoch=False.')
        self.warmup_iters = warmup_iters
        self.end_factor = end_factor
        self.round_decay = round_decay
        self.restart = restart
        self.task_factors = dict(task_factors or {})
        for task, value in self.task_factors.items():
            if value <= 0:
                raise UserError(f'CyclicRestartLR.task_factors[{task!r}]={value}: must be above 0.')
        self.visits: tuple[Visit, ...] = ()
        super().__init__(optimizer, **kwargs)

    def follow(self, visits: Sequence[Visit]) -> None:
        """Take over a schedule, and set the learning rate of the current step accordingly.

        Args:
            visits (Sequence[Visit]): All visits.

        Raises:
            UserError: If ``task_factors`` names a task that is not visited.
        """
        tasks = {visit.task for visit in visits}
        unknown = sorted(set(self.task_factors) - tasks)
        if unknown:
            raise UserError(
                f'CyclicRestartLR.task_factors names {unknown}, which are no tasks of the '
                f'schedule: {sorted(tasks)}.'
            )
        self.visits = tuple(visits)
        for group, value in zip(self.optimizer.param_groups, self._get_value(), strict=True):
            group[self.param_name] = value

    def factor(self, iteration: int) -> float:
        """Factor of the base learning rate.

        Args:
            iteration (int): Iteration, from 0.

        Returns:
            float: 1 as long as there is no schedule.
        """
        if not self.visits:
            return 1.0
        end = self.visits[-1].end
        if self.restart:
            curve = restart_factor(
                iteration, self.visits, self.warmup_iters, self.end_factor, self.round_decay
            )
        else:
            curve = cosine_with_warmup(iteration, end, self.warmup_iters, self.end_factor)
        # A scheduler steps once more after the last iteration.
        task = visit_at(self.visits, min(iteration, end - 1)).task
        return curve * self.task_factors.get(task, 1.0)

    def _get_value(self) -> list[float]:
        factor = self.factor(max(self.last_step, 0))
        return [base_value * factor for base_value in self.base_values]

    def state_dict(self) -> dict[str, Any]:
        """Save everything but the optimizer and the visits, which the config determines.

        Returns:
            dict[str, Any]: The state.
        """
        return {key: value for key, value in super().state_dict().items() if key != 'visits'}

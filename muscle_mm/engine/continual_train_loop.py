# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The training loop of the continual schedule."""

from typing import Any

from mmengine.runner import IterBasedTrainLoop, Runner

from muscle_mm.datasets.samplers import CyclicTaskBatchSampler
from muscle_mm.registry import LOOPS
from muscle_mm.schedule import Visit, visit_at
from muscle_mm.utils.errors import UserError


@LOOPS.register_module()
class ContinualTrainLoop(IterBasedTrainLoop):
    """Runs through all visits of the schedule, and validates at the ends of visits.

    Its length is the schedule's; there is no ``max_iters`` to work out. On resume the schedule is
    evaluated at the iteration reached: no batch is loaded again only to be thrown away.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): Its batch sampler is a ``muscle_mm.CyclicTaskBatchSampler``.
        val_interval (int): Validate at the end of every n-th visit, and of the last; 0 validates
            after the last alone. Defaults to 1.

    Raises:
        UserError: If the batch sampler is another one.
    """

    def __init__(self, runner: Runner, dataloader: Any, val_interval: int = 1) -> None:
        if isinstance(dataloader, dict):
            dataloader = runner.build_dataloader(dataloader, seed=runner.seed)
        if not isinstance(dataloader.batch_sampler, CyclicTaskBatchSampler):
            raise UserError(
                'ContinualTrainLoop needs train_dataloader.batch_sampler=dict('
                "type='muscle_mm.CyclicTaskBatchSampler', ...), got "
                f'{type(dataloader.batch_sampler).__name__}.'
            )
        super().__init__(runner, dataloader, max_iters=len(dataloader.batch_sampler))
        # mmengine 0.10.7 starts loading here, before a resume is known; `run` starts at the right
        # batch.
        del self.dataloader_iterator
        self.visit_val_interval = val_interval

    @property
    def visits(self) -> tuple[Visit, ...]:
        """tuple[Visit, ...]: All visits of the schedule."""
        return self.dataloader.batch_sampler.visits

    def run(self) -> Any:
        """Train from the current iteration to the end of the schedule.

        Returns:
            nn.Module: The trained model.
        """
        self.runner.call_hook('before_train')
        self.runner.call_hook('before_train_epoch')
        self.dataloader.batch_sampler.first_iteration = self._iter
        batches = iter(self.dataloader)
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            visit = visit_at(self.visits, self._iter)
            self.run_iter(next(batches))
            if self._iter == visit.end and self._validates_after(visit):
                self.runner.val_loop.run()
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        return self.runner.model

    def _validates_after(self, visit: Visit) -> bool:
        if self.runner.val_loop is None:
            return False
        last = visit.end == self._max_iters
        every = self.visit_val_interval
        return last or (every > 0 and (visit.index + 1) % every == 0)

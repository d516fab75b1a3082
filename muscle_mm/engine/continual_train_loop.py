# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The training loop of the continual schedule."""

from typing import Any

from mmengine.runner import IterBasedTrainLoop, Runner, set_random_seed

from muscle_mm.datasets.samplers import CyclicTaskBatchSampler
from muscle_mm.registry import LOOPS
from muscle_mm.schedule import Visit, visit_at
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.random_state import seed_of


@LOOPS.register_module()
class ContinualTrainLoop(IterBasedTrainLoop):
    """Runs through all visits of the schedule, and validates at the ends of visits.

    Its length is the schedule's; there is no ``max_iters`` to work out. On resume the schedule is
    evaluated at the iteration reached: no batch is loaded again only to be thrown away. What is
    random in a step (dropout, samplers of proposals) is a function of the run's seed, the iteration
    and the process alone. The checkpoint of a visit's last iteration is older than its validation;
    a run that is resumed there validates first.

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
        # Not built yet. Shared weights are parameters of every task: without this, mmengine would
        # refuse any paramwise_cfg.
        optim_wrapper = runner.optim_wrapper
        if isinstance(optim_wrapper, dict) and optim_wrapper.get('paramwise_cfg'):
            optim_wrapper['paramwise_cfg'].setdefault('bypass_duplicate', True)
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
        self.runner.model.train()
        if self._iter > 0:
            self._validate_after(visit_at(self.visits, self._iter - 1))
        while self._iter < self._max_iters and not self.stop_training:
            if not self.runner.model.training:  # walks through all modules
                self.runner.model.train()
            visit = visit_at(self.visits, self._iter)
            batch = next(batches)
            set_random_seed(seed_of(self.runner.seed, self._iter, self.runner.rank))
            self.run_iter(batch)
            self._validate_after(visit)
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        return self.runner.model

    def _validate_after(self, visit: Visit) -> None:
        """Validate at a visit's end, where that is due and has not been done yet."""
        if self._iter != visit.end or self.runner.val_loop is None:
            return
        last = visit.end == self._max_iters
        every = self.visit_val_interval
        if not last and (every == 0 or (visit.index + 1) % every):
            return
        # The message hub is part of the checkpoints. Noted before: only checkpoints that are
        # written when a validation is over (``save_best``) follow.
        if self.runner.message_hub.runtime_info.get('validated_iteration') == self._iter:
            return
        self.runner.message_hub.update_info('validated_iteration', self._iter)
        self.runner.val_loop.run()

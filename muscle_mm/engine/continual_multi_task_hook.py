# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The hook that drives continual multi-task learning."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner

from muscle_mm.engine.continual_train_loop import ContinualTrainLoop
from muscle_mm.engine.cyclic_restart_lr import CyclicRestartLR
from muscle_mm.evaluation.forgetting import average_performance, backward_transfer, forgetting
from muscle_mm.models.multi_task_pretrainer import MultiTaskPretrainer
from muscle_mm.registry import HOOKS
from muscle_mm.schedule import Visit, visit_at
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.model_wrapper import unwrap_model


@HOOKS.register_module()
class ContinualMultiTaskHook(Hook):
    """Follows the schedule, keeps the cross-task memory, and measures forgetting.

    - Before training it gives the schedule to ``muscle_mm.CyclicRestartLR``.
    - At the end of a visit the model's memory remembers the shared backbone; after each step a
      memory that moves (``EMATeacher``) follows.
    - After each validation it notes one score a task, writes the matrix of scores to
      ``continual_scores.json`` in the work directory, and logs average performance, forgetting and
      backward transfer.

    Args:
        score_keys (dict[str, str], optional): For each task the metric (higher is better, in
            percent) that is its score, as it is logged after the task's name, for example
            ``dict(pneumonia='binary/auc')``. Defaults to None: nothing is noted.

    Raises:
        UserError: If loop or model are not the continual ones, or a score's key is not logged.
    """

    # Before the logger and the checkpoint: both must see the memory and the visit of this
    # iteration.
    priority = 'NORMAL'

    def __init__(self, score_keys: dict[str, str] | None = None) -> None:
        self.score_keys = score_keys or {}
        self.scores: list[dict[str, Any]] = []

    def before_run(self, runner: Runner) -> None:
        """Check that the parts fit.

        Args:
            runner (Runner): The runner.
        """
        model, loop = unwrap_model(runner.model), runner._train_loop
        if not isinstance(model, MultiTaskPretrainer):
            raise UserError(
                'ContinualMultiTaskHook needs model=dict('
                f"type='muscle_mm.MultiTaskPretrainer', ...), got {type(model).__name__}."
            )
        if not isinstance(loop, ContinualTrainLoop):
            raise UserError(
                "ContinualMultiTaskHook needs train_cfg=dict(type='muscle_mm.ContinualTrainLoop')."
            )
        unknown = set(self.score_keys) - set(model.tasks)
        if unknown:
            raise UserError(
                f'ContinualMultiTaskHook.score_keys names {sorted(unknown)}, which are no tasks '
                f'of the model: {sorted(model.tasks)}.'
            )

    def before_train(self, runner: Runner) -> None:
        """Give the schedule to the learning rate, and restore what a resumed checkpoint brought.

        Args:
            runner (Runner): The runner.
        """
        self.scores = list(runner.message_hub.runtime_info.get('continual_scores', []))
        for scheduler in self._schedulers(runner):
            scheduler.follow(self._visits(runner))
        order = ' '.join(f'{visit.task}:{visit.length}' for visit in self._visits(runner))
        runner.logger.info(f'schedule, task:iterations: {order}')

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict[str, Any] | None = None
    ) -> None:
        """Announce a visit at its first iteration.

        Args:
            runner (Runner): The runner.
            batch_idx (int): Unused.
            data_batch (dict, optional): Unused. Defaults to None.
        """
        visit = visit_at(self._visits(runner), runner.iter)
        if runner.iter == visit.begin:
            self._forget_smoothed_losses(runner)
            runner.logger.info(
                f'visit {visit.index + 1}/{len(self._visits(runner))}: round {visit.round + 1}, '
                f'task {visit.task}, {visit.length} iterations'
            )

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict[str, Any] | None = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Let the memory follow the step, and remember at a visit's last iteration.

        Args:
            runner (Runner): The runner.
            batch_idx (int): Unused.
            data_batch (dict, optional): Unused. Defaults to None.
            outputs (dict, optional): Unused. Defaults to None.
        """
        memory = unwrap_model(runner.model).memory
        if memory is None:
            return
        memory.after_step()
        if runner.iter + 1 == visit_at(self._visits(runner), runner.iter).end:
            memory.remember()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Note the tasks' scores and measure forgetting.

        Args:
            runner (Runner): The runner.
            metrics (dict[str, float], optional): What the evaluator returned. Defaults to None.
        """
        if (
            not self.score_keys
            or not metrics
            or not isinstance(runner._train_loop, ContinualTrainLoop)
        ):
            return
        tasks = unwrap_model(runner.model).tasks.keys()
        visit = visit_at(self._visits(runner), runner.iter - 1)
        scores = {task: self._score(metrics, task) for task in self.score_keys}
        self.scores.append(
            dict(visit=visit.index, round=visit.round, task=visit.task, scores=scores)
        )
        # The message hub is part of mmengine's checkpoints, so that a resumed run keeps the matrix.
        runner.message_hub.update_info('continual_scores', self.scores)
        rows = np.array([list(row['scores'].values()) for row in self.scores])
        summary = {'average_performance': average_performance(rows)}
        # The other measures need the scores after every visit (train_cfg.val_interval=1).
        if len(self.scores) == visit.index + 1 and set(self.score_keys) == set(tasks):
            visited = [list(self.score_keys).index(row['task']) for row in self.scores]
            summary['forgetting'] = forgetting(rows, visited)
            summary['backward_transfer'] = backward_transfer(rows, visited)
        for name, value in summary.items():
            runner.message_hub.update_scalar(f'val/continual/{name}', value)
        if runner.rank == 0:
            path = Path(runner.work_dir) / 'continual_scores.json'
            content = dict(tasks=list(self.score_keys), visits=self.scores, summary=summary)
            path.write_text(json.dumps(content, indent=1) + '\n')

    @staticmethod
    def _forget_smoothed_losses(runner: Runner) -> None:
        """Drop other tasks' losses from the log, where they would be repeated as they last were."""
        scalars = runner.message_hub.log_scalars
        for key in [key for key in scalars if key.startswith('train/') and _is_loss(key)]:
            scalars.pop(key)

    def _score(self, metrics: dict[str, float], task: str) -> float:
        key = f'{task}/{self.score_keys[task]}'
        if key not in metrics:
            raise UserError(
                f'ContinualMultiTaskHook.score_keys[{task!r}]: {key!r} is not among the metrics: '
                f'{sorted(metrics)}.'
            )
        return float(metrics[key])

    @staticmethod
    def _visits(runner: Runner) -> tuple[Visit, ...]:
        return runner.train_loop.visits

    @staticmethod
    def _schedulers(runner: Runner) -> list[CyclicRestartLR]:
        schedulers = runner.param_schedulers or []
        lists = schedulers.values() if isinstance(schedulers, dict) else [schedulers]
        return [item for group in lists for item in group if isinstance(item, CyclicRestartLR)]


def _is_loss(key: str) -> bool:
    """Whether a logged value belongs to a batch, in contrast to times and rates."""
    return '.' in key or key in ('train/loss', 'train/grad_norm')

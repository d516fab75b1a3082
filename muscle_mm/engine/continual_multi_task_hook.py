# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The hook that drives continual multi-task learning."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import BaseLoop, Runner

from muscle_mm.engine.continual_train_loop import ContinualTrainLoop
from muscle_mm.engine.cyclic_restart_lr import CyclicRestartLR
from muscle_mm.engine.schedule_record import SCHEDULE, refuse_other_schedule, schedule_record
from muscle_mm.evaluation.score_matrix import MEASURES, ScoreMatrix
from muscle_mm.models.multi_task_pretrainer import MultiTaskPretrainer
from muscle_mm.registry import HOOKS
from muscle_mm.schedule import Visit, visit_at
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.model_wrapper import unwrap_model
from muscle_mm.utils.whole_file import whole_file

SCORES_NAME = 'continual_scores.json'
HEAT_MAP_NAME = 'continual_scores.png'


@HOOKS.register_module()
class ContinualMultiTaskHook(Hook):
    """Follows the schedule, keeps the cross-task memory, and measures forgetting.

    - Before training it gives the schedule to ``muscle_mm.CyclicRestartLR``.
    - At the end of a visit the model's memory remembers the shared backbone; after each step a
      memory that moves (``EMATeacher``) follows.
    - After each validation it notes one score a task, writes the matrix of scores and what follows
      from it (``ScoreMatrix.to_json``) to ``continual_scores.json`` in the work directory, logs
      ``continual/<measure>``, and adds these to the metrics of the validation, where
      ``CheckpointHook(save_best='continual/average_performance', rule='greater')`` finds them.
    - At the end of training it draws the matrix: ``continual_scores.png``.

    A metric that is not there or not a number is an unknown score (null in the file), never the end
    of a run; only before the first iteration, where nothing can be lost, a missing one is an error.

    Args:
        score_keys (dict[str, str], optional): For each task the metric (higher is better, in
            percent) that is its score, as it is logged after the task's name, for example
            ``dict(pneumonia='binary/auc')``. Defaults to None: nothing is noted.
        validate_before_training (bool): Whether to validate before the first visit as well: forward
            transfer needs these scores, and a mistake in the validation shows at once. Defaults to
            False.

    Raises:
        UserError: If loop or model are not the continual ones, a key of ``score_keys`` is no task,
            ``save_best`` names a measure that is not there, the validation before training does
            not log a score's metric, or a run is resumed under another schedule.
    """

    # Before the logger and the checkpoint: both must see the memory and the visit of this
    # iteration.
    priority = 'NORMAL'

    def __init__(
        self, score_keys: dict[str, str] | None = None, validate_before_training: bool = False
    ) -> None:
        self.score_keys = score_keys or {}
        self.validate_before_training = validate_before_training
        self.matrix: ScoreMatrix | None = None

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
        # In a test, and a validation alone, it is only a config.
        if isinstance(loop, BaseLoop) and not isinstance(loop, ContinualTrainLoop):
            raise UserError(
                "ContinualMultiTaskHook needs train_cfg=dict(type='muscle_mm.ContinualTrainLoop')."
            )
        unknown = set(self.score_keys) - set(model.tasks)
        if unknown:
            raise UserError(
                f'ContinualMultiTaskHook.score_keys names {sorted(unknown)}, which are no tasks '
                f'of the model: {sorted(model.tasks)}.'
            )
        self._check_save_best(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Write the schedule into a checkpoint.

        Args:
            runner (Runner): The runner.
            checkpoint (dict): What is about to be written.
        """
        checkpoint['meta'][SCHEDULE] = schedule_record(runner.train_loop)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Refuse to resume under another schedule, before anything is restored.

        Args:
            runner (Runner): The runner.
            checkpoint (dict): What the file of ``load_from`` or ``resume`` holds.
        """
        if runner._resume:
            refuse_other_schedule(checkpoint, runner.train_loop)

    def before_train(self, runner: Runner) -> None:
        """Give the schedule to the learning rate, and restore what a resumed checkpoint brought.

        Args:
            runner (Runner): The runner.
        """
        self.matrix = ScoreMatrix(list(self.score_keys), self._visits(runner))
        saved = runner.message_hub.runtime_info.get('continual_scores')
        if saved is not None:
            self.matrix.load_state_dict(saved)
            # A kill may have come between the last validation's checkpoint and its scores.
            self._write_scores(runner)
        memory = unwrap_model(runner.model).memory
        if memory is not None and runner.iter == 0:
            # Weights of another schedule (load_from) may have come with its memory.
            memory.forget()
        for scheduler in self._schedulers(runner):
            scheduler.follow(self._visits(runner))
        order = ' '.join(f'{visit.task}:{visit.length}' for visit in self._visits(runner))
        runner.logger.info(f'schedule, task:iterations: {order}')

    def before_train_epoch(self, runner: Runner) -> None:
        """Validate before the first visit, where asked for.

        Args:
            runner (Runner): The runner; all hooks are ready to train.
        """
        if self.validate_before_training and runner.iter == 0 and runner.val_loop is not None:
            runner.logger.info('validation before the first visit')
            runner.val_loop.run()

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
        """Note the tasks' scores, and measure.

        Args:
            runner (Runner): The runner.
            metrics (dict[str, float], optional): What the evaluator returned; the measures are
                added. Defaults to None.
        """
        if not self.score_keys or not metrics or self.matrix is None:
            return
        scores = self._scores(runner, metrics)
        if runner.iter == 0:
            self.matrix.note_before(scores)
            # Not known yet, so that no untrained model is the best one.
            summary = dict.fromkeys(MEASURES, math.nan)
        else:
            self.matrix.note(visit_at(self._visits(runner), runner.iter - 1).index, scores)
            summary = self.matrix.summary()
        # The message hub is part of mmengine's checkpoints, so that a resumed run keeps the matrix.
        runner.message_hub.update_info('continual_scores', self.matrix.state_dict())
        for name, value in summary.items():
            metrics[f'continual/{name}'] = value
            if math.isnan(value):
                runner.message_hub.log_scalars.pop(f'val/continual/{name}', None)
            else:
                runner.message_hub.update_scalar(f'val/continual/{name}', value)

    def after_val(self, runner: Runner) -> None:
        """Write the scores, once the best checkpoint of this validation is there.

        Args:
            runner (Runner): The runner.
        """
        self._write_scores(runner)

    def _write_scores(self, runner: Runner) -> None:
        if not self.score_keys or self.matrix is None or runner.rank != 0:
            return
        info = runner.message_hub.runtime_info
        best = info.get('best_ckpt') or info.get('best_ckpt_continual/average_performance')
        content = {
            **self.matrix.to_json(),
            'best_checkpoint': None if best is None else Path(best).name,
        }
        with whole_file(Path(runner.work_dir) / SCORES_NAME) as unfinished:
            unfinished.write_text(json.dumps(content, indent=1, allow_nan=False) + '\n')

    def after_train(self, runner: Runner) -> None:
        """Draw the scores.

        Args:
            runner (Runner): The runner.
        """
        if runner.rank != 0 or not self.score_keys:
            return
        from PIL import Image

        from muscle_mm.reporting.heat_map import draw_heat_map

        picture = Path(runner.work_dir) / HEAT_MAP_NAME
        if draw_heat_map(picture.with_name(SCORES_NAME), picture):
            with Image.open(picture) as image:
                pixels = np.asarray(image.convert('RGB'))
            runner.visualizer.add_image('continual_scores', pixels, runner.iter)

    @staticmethod
    def _forget_smoothed_losses(runner: Runner) -> None:
        """Drop other tasks' losses from the log, where they would be repeated as they last were."""
        scalars = runner.message_hub.log_scalars
        for key in [key for key in scalars if key.startswith('train/') and _is_loss(key)]:
            scalars.pop(key)

    def _scores(self, runner: Runner, metrics: dict[str, float]) -> dict[str, float]:
        """Pick each task's score, NaN where there is none."""
        scores = {}
        for task, name in self.score_keys.items():
            key = f'{task}/{name}'
            if key not in metrics:
                own = sorted(other for other in metrics if other.startswith(f'{task}/'))
                message = (
                    f'ContinualMultiTaskHook.score_keys[{task!r}]: {key!r} is not among the '
                    f"task's metrics: {own}."
                )
                if runner.iter == 0:
                    raise UserError(message)
                runner.logger.error(f'{message} The score of {task!r} is unknown.')
            value = metrics.get(key)
            scores[task] = math.nan if value is None else float(value)
            if key in metrics and math.isnan(scores[task]):
                runner.logger.warning(
                    f'{key} is not a number: the score of {task!r} is unknown, and so are averages '
                    'over tasks.'
                )
        return scores

    def _check_save_best(self, runner: Runner) -> None:
        """Refuse a ``save_best`` that mmengine would not find after the first visit."""
        known = [f'continual/{name}' for name in MEASURES] if self.score_keys else []
        for hook in runner.hooks:
            if not isinstance(hook, CheckpointHook):
                continue
            for key in hook.save_best or []:
                if key.startswith('continual/') and key not in known:
                    raise UserError(
                        f'default_hooks.checkpoint.save_best={key!r}: with these '
                        'ContinualMultiTaskHook.score_keys the measures are '
                        f'{", ".join(known) or "none (score_keys is empty)"}.'
                    )

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

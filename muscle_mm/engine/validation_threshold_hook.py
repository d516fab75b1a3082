# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The hook that takes a threshold from validation to the test."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from muscle_mm.evaluation import BinaryClassificationMetric
from muscle_mm.registry import HOOKS

_META_KEY = 'validation_thresholds'


@HOOKS.register_module()
class ValidationThresholdHook(Hook):
    """Keeps in each checkpoint the thresholds that were chosen on validation with its weights.

    They go into ``meta['validation_thresholds']``: a number for each logged key that ends with
    ``threshold``. ``BinaryClassificationMetric(threshold='validation')`` gets those of the
    checkpoint that is tested, whether by ``TestAfterTrainHook`` or by a toolbox's
    ``tools/test.py``. ``CheckpointHook`` writes ``epoch_*.pth`` before the validation of the same
    epoch, so that these files keep none; ``best_*.pth`` keep theirs.
    """

    def __init__(self) -> None:
        self.thresholds: dict[str, float] = {}
        self._iteration: int | None = None

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Remember the thresholds, before ``CheckpointHook`` saves the best model.

        Args:
            runner (Runner): The runner.
            metrics (dict[str, float], optional): What was logged. Defaults to None.
        """
        measures = metrics or {}
        self.thresholds = {
            key: float(value) for key, value in measures.items() if key.endswith('threshold')
        }
        self._iteration = runner.iter

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Add them, if these are the weights that they were chosen with.

        Args:
            runner (Runner): The runner.
            checkpoint (dict): What is about to be written.
        """
        if self.thresholds and self._iteration == runner.iter:
            checkpoint['meta'][_META_KEY] = dict(self.thresholds)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Take those of a checkpoint.

        Args:
            runner (Runner): The runner.
            checkpoint (dict): What was read.
        """
        self.thresholds = dict(checkpoint.get('meta', {}).get(_META_KEY, {}))
        self._iteration = None

    def before_test(self, runner: Runner) -> None:
        """Hand them to the metrics.

        Args:
            runner (Runner): The runner.
        """
        for metric in runner.test_evaluator.metrics:
            if isinstance(metric, BinaryClassificationMetric):
                metric.validation_thresholds = dict(self.thresholds)

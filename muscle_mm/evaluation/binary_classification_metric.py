# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The classification columns of the published tables."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from muscle_mm.evaluation.bootstrap import auc_confidence_interval
from muscle_mm.registry import METRICS
from muscle_mm.utils.errors import UserError


@METRICS.register_module()
class BinaryClassificationMetric(BaseMetric):
    """Accuracy, sensitivity, specificity and AUC with its confidence interval, in percent.

    Class 1 is the positive class (pneumonia; abnormal in MURA). Sensitivity is the share of
    positives that are called positive, specificity the share of negatives that are called negative.
    Where a class is absent, what cannot be computed is NaN and a warning says why.

    Logged keys: ``accuracy``, ``sensitivity``, ``specificity``, ``auc``, ``auc_ci_low``,
    ``auc_ci_high``. The interval resamples images (see ``auc_confidence_interval``); films of one
    patient are treated as independent.

    Args:
        threshold (float): A film is called positive if its score of class 1 reaches it. Defaults to
            0.5.
        confidence (float): Coverage of the interval. Defaults to 0.95.
        num_resamples (int): Number of bootstrap resamples. Defaults to 2000.
        seed (int): Seed of the bootstrap. Defaults to 0.
        collect_device (str): ``'cpu'`` or ``'gpu'``, see mmengine's ``BaseMetric``. Defaults to
            'cpu'.
        prefix (str, optional): Prefix of the logged keys. Defaults to None, which gives
            ``'binary'``.
        collect_dir (str, optional): See mmengine's ``BaseMetric``. Defaults to None.

    Raises:
        UserError: If a model predicts another number of classes than two, or a score that is not
            finite.
    """

    default_prefix = 'binary'

    def __init__(
        self,
        threshold: float = 0.5,
        confidence: float = 0.95,
        num_resamples: int = 2000,
        seed: int = 0,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        self.threshold = threshold
        self.confidence = confidence
        self.num_resamples = num_resamples
        self.seed = seed

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the true class and the score of class 1 of each sample.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict]): Predictions of mmpretrain: ``gt_label`` (tensor of one
                integer) and ``pred_score`` (float tensor of two probabilities).
        """
        for sample in data_samples:
            scores = sample['pred_score']
            if scores.numel() != 2:
                raise UserError(
                    f'BinaryClassificationMetric needs two classes, but the model predicts '
                    f'{scores.numel()}. Set num_classes=2 in the head of the model.'
                )
            self.results.append((int(sample['gt_label']), float(scores.flatten()[1])))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compute all measures over the whole data set.

        Args:
            results (list): Pairs of true class and score, one for each sample.

        Returns:
            dict[str, float]: Measures in percent by key.
        """
        from sklearn.metrics import accuracy_score, recall_score, roc_auc_score

        labels = np.array([label for label, _ in results], dtype=np.int64)
        scores = np.array([score for _, score in results], dtype=np.float64)
        if not np.isfinite(scores).all():
            raise UserError(
                f'{int((~np.isfinite(scores)).sum())} of {scores.size} predicted scores are not '
                'finite: the training has diverged. Lower optim_wrapper.optimizer.lr.'
            )
        self._warn_of_absent_classes(labels)
        called_positive = (scores >= self.threshold).astype(np.int64)
        has_both = np.unique(labels).size == 2
        nan = float('nan')
        low, high = auc_confidence_interval(
            labels, scores, self.confidence, self.num_resamples, self.seed
        )
        shares = {
            'accuracy': accuracy_score(labels, called_positive) if labels.size else nan,
            'sensitivity': (
                recall_score(labels, called_positive, pos_label=1) if (labels == 1).any() else nan
            ),
            'specificity': (
                recall_score(labels, called_positive, pos_label=0) if (labels == 0).any() else nan
            ),
            'auc': roc_auc_score(labels, scores) if has_both else nan,
            'auc_ci_low': low,
            'auc_ci_high': high,
        }
        return {key: 100.0 * float(share) for key, share in shares.items()}

    def _warn_of_absent_classes(self, labels: np.ndarray) -> None:
        """Say which class is absent from the data.

        Args:
            labels (np.ndarray): True classes, shape (N,).
        """
        names = (self.dataset_meta or {}).get('classes', ('0', '1'))
        absent = [str(names[index]) for index in (0, 1) if not (labels == index).any()]
        if absent:
            print_log(
                f'No film of class {" or ".join(repr(name) for name in absent)} among the '
                f'{labels.size} evaluated films: AUC and its interval are nan. '
                'Check the split in the manifest.',
                logger='current',
                level=logging.WARNING,
            )

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The classification columns of the published tables."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from muscle_mm.evaluation.binary_predictions import BinaryPredictions
from muscle_mm.evaluation.bootstrap import auc_confidence_interval
from muscle_mm.evaluation.decision_threshold import THRESHOLD_RULES, choose_threshold
from muscle_mm.evaluation.delong import delong_interval
from muscle_mm.registry import METRICS
from muscle_mm.utils.errors import UserError

_DEFAULT_THRESHOLD = 0.5


@METRICS.register_module()
class BinaryClassificationMetric(BaseMetric):
    """Accuracy, sensitivity, specificity and AUC with its confidence interval, in percent.

    Class 1 is the positive class (pneumonia; abnormal in MURA). Sensitivity is the share of
    positives that are called positive, specificity the share of negatives that are called negative.
    Where a class is absent, what cannot be computed is NaN and a warning says why.

    Logged keys: ``accuracy``, ``sensitivity``, ``specificity``, ``auc``, ``auc_ci_low``,
    ``auc_ci_high``, and ``threshold`` (a score, not in percent). With ``by_study`` the same again
    for studies, with ``study_`` before each key, and ``study_kappa``: Cohen's kappa x 100, by which
    MURA ranks.

    **Interval.** By default a bootstrap that draws patients, stratified by class: several films of
    a patient are alike, and an interval that takes them as independent, as DeLong's does, is too
    narrow. With one film of each patient both are valid; where the samples name no patients, both
    take the films as independent.

    **Threshold.** A number, or chosen on the very films of this evaluation ('youden',
    'sensitivity'). The latter is for validation: on the test split it would make accuracy,
    sensitivity and specificity optimistic, and each such evaluation says so in the log. For the
    test split take ``threshold='validation'`` with ``muscle_mm.ValidationThresholdHook``, which
    keeps in each checkpoint the threshold that was chosen on validation with its weights::

        val_evaluator = dict(type='muscle_mm.BinaryClassificationMetric', threshold='youden')
        test_evaluator = dict(type='muscle_mm.BinaryClassificationMetric', threshold='validation')
        custom_hooks = [dict(type='muscle_mm.ValidationThresholdHook'), ...]

    Args:
        threshold (float | str): A film is called positive if its score of class 1 reaches it. A
            number; 'youden', where sensitivity + specificity is largest; 'sensitivity', where the
            sensitivity reaches ``target_sensitivity``; or 'validation'. Defaults to 0.5.
        target_sensitivity (float): From 0 to 1, for ``threshold='sensitivity'``. Defaults to 0.95.
        by_study (bool): Score studies, too: the mean over a study's films, with a threshold of its
            own where one is chosen. Samples then carry ``study``. Defaults to False.
        interval (str): 'bootstrap' (by patient) or 'delong' (by film). Defaults to 'bootstrap'.
        confidence (float): Coverage of the interval. Defaults to 0.95.
        num_resamples (int): Number of bootstrap resamples. Defaults to 2000.
        seed (int): Seed of the bootstrap. Defaults to 0.
        collect_device (str): ``'cpu'`` or ``'gpu'``, see mmengine's ``BaseMetric``. Defaults to
            'cpu'.
        prefix (str, optional): Prefix of the logged keys. Defaults to None, which gives
            ``'binary'``.
        collect_dir (str, optional): See mmengine's ``BaseMetric``. Defaults to None.

    Attributes:
        predictions (BinaryPredictions | None): What was evaluated last, on the first process; None
            before and on the others.
        validation_thresholds (Mapping[str, float]): Logged thresholds by full key, for
            ``threshold='validation'``; ``ValidationThresholdHook`` sets it.

    Raises:
        UserError: If an option is unknown, a model predicts another number of classes than two, a
            label is neither 0 nor 1, or a score is not finite.
    """

    default_prefix = 'binary'

    def __init__(
        self,
        threshold: float | str = _DEFAULT_THRESHOLD,
        target_sensitivity: float = 0.95,
        by_study: bool = False,
        interval: str = 'bootstrap',
        confidence: float = 0.95,
        num_resamples: int = 2000,
        seed: int = 0,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        rules = (*THRESHOLD_RULES, 'validation')
        if isinstance(threshold, str) and threshold not in rules:
            raise UserError(
                f'BinaryClassificationMetric: threshold={threshold!r} is neither a number nor one '
                f'of {", ".join(map(repr, rules))}.'
            )
        if not 0 < target_sensitivity <= 1:
            raise UserError(
                f'BinaryClassificationMetric: target_sensitivity={target_sensitivity} is neither 1 '
                'nor between 0 and 1; 0.95 stands for 95 percent.'
            )
        if not 0 < confidence < 1:
            raise UserError(
                f'BinaryClassificationMetric: confidence={confidence} is not between 0 and 1; 0.95 '
                'stands for 95 percent.'
            )
        if num_resamples < 1:
            raise UserError(
                f'BinaryClassificationMetric: num_resamples={num_resamples} must be at least 1.'
            )
        if interval not in ('bootstrap', 'delong'):
            raise UserError(
                f"BinaryClassificationMetric: interval={interval!r} is neither 'bootstrap' nor "
                "'delong'."
            )
        self.threshold = threshold
        self.target_sensitivity = target_sensitivity
        self.by_study = by_study
        self.interval = interval
        self.confidence = confidence
        self.num_resamples = num_resamples
        self.seed = seed
        self.predictions: BinaryPredictions | None = None
        self.validation_thresholds: Mapping[str, float] = {}

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the true class, the score of class 1 and the origin of each sample.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict]): Predictions of mmpretrain: ``gt_label`` (tensor of one
                integer) and ``pred_score`` (float tensor of two probabilities); where
                ``mmpretrain.PackInputs`` names them in ``meta_keys``, ``img_path``, ``patient_id``
                and ``study``.
        """
        for sample in data_samples:
            scores = sample['pred_score']
            if scores.numel() != 2:
                raise UserError(
                    f'BinaryClassificationMetric needs two classes, but the model predicts '
                    f'{scores.numel()}. Set num_classes=2 in the head of the model.'
                )
            image, label = str(sample.get('img_path') or ''), int(sample['gt_label'])
            if label not in (0, 1):
                raise UserError(
                    f'BinaryClassificationMetric needs two classes, but {image or "a film"} is of '
                    f'class {label}. Check gt_label in the manifest.'
                )
            patient, study = (str(sample.get(key) or '') for key in ('patient_id', 'study'))
            self.results.append((image, patient, study, label, float(scores.flatten()[1])))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compute all measures over the whole data set.

        Args:
            results (list): Rows of ``BinaryPredictions``, one for each sample.

        Returns:
            dict[str, float]: Measures in percent by key, and the threshold.
        """
        films = BinaryPredictions.from_rows(results)
        finite = np.isfinite(films.scores)
        if not finite.all():
            raise UserError(
                f'{int((~finite).sum())} of {finite.size} predicted scores are not '
                'finite: the training has diverged. Lower optim_wrapper.optimizer.lr.'
            )
        self.predictions = films
        self._warn_of_absent_classes(films.labels)
        measures = self._measures_of(films)
        if self.by_study and any(films.studies):
            studies = self._measures_of(films.by_study(), 'study_')
            measures |= {f'study_{key}': value for key, value in studies.items()}
        elif self.by_study and films.images:
            self._warn(
                'by_study=True, but no film names its study, so there are no scores of studies. '
                "Add 'study' to meta_keys of mmpretrain.PackInputs, or, where the data set has no "
                'studies, set by_study=False.'
            )
        return measures

    def _measures_of(self, cases: BinaryPredictions, before_key: str = '') -> dict[str, float]:
        """Measure films, or studies.

        Args:
            cases (BinaryPredictions): The films or studies.
            before_key (str): What comes before each key. Defaults to ''.

        Returns:
            dict[str, float]: Measures in percent by key, and the threshold.
        """
        from sklearn.metrics import accuracy_score, cohen_kappa_score, recall_score, roc_auc_score

        labels, scores = cases.labels, cases.scores
        threshold = self._threshold_for(cases, f'{before_key}threshold')
        called_positive = (scores >= threshold).astype(np.int64)
        has_both = np.unique(labels).size == 2
        nan = float('nan')
        low, high = self._auc_interval(cases)
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
        if before_key:
            shares['kappa'] = cohen_kappa_score(labels, called_positive) if has_both else nan
        percent = {key: 100.0 * float(share) for key, share in shares.items()}
        return percent | {'threshold': threshold}

    def _auc_interval(self, cases: BinaryPredictions) -> tuple[float, float]:
        """Interval of the AUC between 0 and 1."""
        if self.interval == 'delong':
            return delong_interval(cases.labels, cases.scores, self.confidence)
        return auc_confidence_interval(
            cases.labels,
            cases.scores,
            self.confidence,
            self.num_resamples,
            self.seed,
            cases.units(),
        )

    def _threshold_for(self, cases: BinaryPredictions, key: str) -> float:
        """Choose the threshold, or take the one that was given."""
        if not isinstance(self.threshold, str):
            return float(self.threshold)
        if self.threshold == 'validation':
            full_key = f'{self.prefix}/{key}'
            if full_key in self.validation_thresholds:
                return self.validation_thresholds[full_key]
            self._warn(
                f"threshold='validation', but the checkpoint keeps no {full_key}: "
                f'{_DEFAULT_THRESHOLD} is taken. A checkpoint keeps it if it was saved after its '
                'validation (best_*.pth) and muscle_mm.ValidationThresholdHook is in custom_hooks.'
            )
            return _DEFAULT_THRESHOLD
        threshold = choose_threshold(
            cases.labels, cases.scores, self.threshold, self.target_sensitivity
        )
        if np.isnan(threshold):  # a class is absent, of which a warning has told
            return _DEFAULT_THRESHOLD
        print_log(
            f'{self.prefix}/{key} {threshold:.4f} is chosen on these {cases.labels.size} cases '
            f'(threshold={self.threshold!r}): accuracy, sensitivity and specificity on the same '
            'cases are optimistic.',
            logger='current',
        )
        return threshold

    def _warn_of_absent_classes(self, labels: np.ndarray) -> None:
        """Say which class is absent from the data.

        Args:
            labels (np.ndarray): True classes, shape (N,).
        """
        names = (self.dataset_meta or {}).get('classes', ('0', '1'))
        absent = [str(names[index]) for index in (0, 1) if not (labels == index).any()]
        if absent:
            self._warn(
                f'no film of class {" or ".join(repr(name) for name in absent)} among the '
                f'{labels.size} evaluated films: AUC and its interval are nan. '
                'Check the split in the manifest.'
            )

    def _warn(self, message: str) -> None:
        """Write a warning into the log that names the data set."""
        name = (self.dataset_meta or {}).get('dataset', 'the data set')
        print_log(
            f'BinaryClassificationMetric on {name}: {message}',
            logger='current',
            level=logging.WARNING,
        )

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The hook that keeps what a model says about each test film."""

import json
import logging
from pathlib import Path

from mmengine.hooks import Hook
from mmengine.runner import Runner

from muscle_mm.evaluation import (
    BinaryClassificationMetric,
    BinaryPredictions,
    BoxAPMetric,
    LungSegmentationMetric,
)
from muscle_mm.evaluation.classification_curves import calibration, roc_points
from muscle_mm.registry import HOOKS
from muscle_mm.utils.whole_file import whole_file

_METRICS = (BinaryClassificationMetric, LungSegmentationMetric, BoxAPMetric)


@HOOKS.register_module()
class TestPredictionsHook(Hook):
    """Writes the predictions and curves of a test into the work directory.

    ``test_predictions.csv`` has what scores of any choice of test films need, for paired tests and
    intervals:

    * of ``BinaryClassificationMetric`` a row a film, with image, patient, study, label and score of
      class 1 (``BinaryPredictions.read``), and beside it ``test_curves.json``: ``roc`` (see
      ``roc_points``) and ``calibration`` of the films, and with ``by_study`` the same of the
      studies under ``study``;
    * of ``LungSegmentationMetric`` a row a film, with image, patient, and of each class the pixels
      of intersection, prediction and truth (``SegmentationPredictions.read``);
    * of ``BoxAPMetric`` with one IoU threshold a row for each film and class, with the number of
      true boxes, and the score of each predicted box and whether it is matched
      (``DetectionPredictions.read``).

    A metric with a prefix other than its default one has it in the files' names. A file that cannot
    be written is a warning.
    """

    # pytest must not take this class for a test.
    __test__ = False

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Write the files.

        Args:
            runner (Runner): The runner.
            metrics (dict[str, float], optional): Not used. Defaults to None.
        """
        if runner.rank != 0:
            return
        for metric in runner.test_evaluator.metrics:
            if not isinstance(metric, _METRICS) or metric.predictions is None:
                continue
            name = '' if metric.prefix == metric.default_prefix else f'_{metric.prefix}'
            folder = Path(runner.work_dir)
            try:
                metric.predictions.write(folder / f'test_predictions{name}.csv')
                if isinstance(metric, BinaryClassificationMetric):
                    _write_curves(metric, folder / f'test_curves{name}.json')
            except OSError as error:
                runner.logger.log(
                    logging.WARNING, f'the predictions of the test cannot be written: {error}'
                )
            else:
                runner.logger.info(
                    f'predictions of the test written to {folder}/test_predictions{name}.csv'
                )


def _write_curves(metric: BinaryClassificationMetric, path: Path) -> None:
    """Write ROC and calibration of films and studies."""
    films = metric.predictions
    assert films is not None
    content = _curves(films)
    if metric.by_study and any(films.studies):
        content['study'] = _curves(films.by_study())
    with whole_file(path) as unfinished:
        unfinished.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')


def _curves(cases: BinaryPredictions) -> dict:
    """Compute ROC and calibration."""
    return {
        'roc': roc_points(cases.labels, cases.scores),
        'calibration': calibration(cases.labels, cases.scores),
    }

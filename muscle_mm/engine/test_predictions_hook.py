# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The hook that keeps what a classifier says about each test film."""

import json
import logging
from pathlib import Path

from mmengine.hooks import Hook
from mmengine.runner import Runner

from muscle_mm.evaluation import BinaryClassificationMetric
from muscle_mm.evaluation.binary_predictions import BinaryPredictions
from muscle_mm.evaluation.classification_curves import calibration, roc_points
from muscle_mm.registry import HOOKS
from muscle_mm.utils.whole_file import whole_file


@HOOKS.register_module()
class TestPredictionsHook(Hook):
    """Writes the predictions and curves of a test into the work directory.

    * ``test_predictions.csv``: a row a film, with image, patient, study, label and score of class
      1, in the order of the data set; ``BinaryPredictions.read`` reads it for paired tests.
    * ``test_curves.json``: ``roc`` (see ``roc_points``) and ``calibration`` of the films, and with
      ``by_study`` the same of the studies under ``study``.

    It does so for each ``BinaryClassificationMetric`` of the test evaluator; one with a prefix
    other than ``'binary'`` has it in the files' names. A file that cannot be written is a warning.
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
            if not isinstance(metric, BinaryClassificationMetric) or metric.predictions is None:
                continue
            name = '' if metric.prefix == metric.default_prefix else f'_{metric.prefix}'
            folder = Path(runner.work_dir)
            try:
                _write(
                    metric,
                    folder / f'test_predictions{name}.csv',
                    folder / f'test_curves{name}.json',
                )
            except OSError as error:
                runner.logger.log(
                    logging.WARNING, f'the predictions of the test cannot be written: {error}'
                )
            else:
                runner.logger.info(
                    f'predictions of the test written to {folder}/test_predictions{name}.csv, '
                    f'its curves to test_curves{name}.json'
                )


def _write(metric: BinaryClassificationMetric, table: Path, curves: Path) -> None:
    """Write both files of a metric."""
    films = metric.predictions
    assert films is not None
    films.write(table)
    content = _curves(films)
    if metric.by_study and any(films.studies):
        content['study'] = _curves(films.by_study())
    with whole_file(curves) as unfinished:
        unfinished.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')


def _curves(cases: BinaryPredictions) -> dict:
    """Compute ROC and calibration."""
    return {
        'roc': roc_points(cases.labels, cases.scores),
        'calibration': calibration(cases.labels, cases.scores),
    }

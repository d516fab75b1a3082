# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The detection columns of the published tables."""

import contextlib
import io
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.fileio import load
from mmengine.logging import print_log

from muscle_mm.evaluation.detection_predictions import ClassBoxes, DetectionPredictions
from muscle_mm.registry import METRICS
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.toolbox import require_toolbox


@METRICS.register_module()
class BoxAPMetric(BaseMetric):
    """Average precision of each class of boxes and its mean, in percent.

    The conversion to COCO's format is that of ``mmdet.CocoMetric`` and the precision that of
    pycocotools (101 recall points, all box areas). ``CocoMetric``'s own summary is not used: it
    rounds to three digits, needs at least six IoU thresholds for its table of classes, and logs
    nothing when a model predicts no box at all, which is an AP of zero.

    Logged keys: ``map`` (mean over classes) and one ``ap_<class>`` for each class, in lower case
    with underscores. A class without a true box is NaN, is left out of the mean, and is named in a
    warning. The published paper does not state its IoU threshold; 0.5 is our choice.

    Args:
        iou_thrs (Sequence[float]): IoU thresholds to average over. Defaults to (0.5,).
        max_boxes (int): Highest-scored boxes of an image that count. Defaults to 100.
        collect_device (str): ``'cpu'`` or ``'gpu'``, see mmengine's ``BaseMetric``. Defaults to
            'cpu'.
        prefix (str, optional): Prefix of the logged keys. Defaults to None, which gives
            ``'detection'``.
        collect_dir (str, optional): See mmengine's ``BaseMetric``. Defaults to None.

    Attributes:
        predictions (DetectionPredictions | None): Boxes of the films that were evaluated last, on
            the first process; None before, on the others, and with several IoU thresholds, at each
            of which other boxes would be matched.

    Raises:
        UserError: If mmdet is not installed, or the samples do not carry their true boxes.
    """

    default_prefix = 'detection'

    def __init__(
        self,
        iou_thrs: Sequence[float] = (0.5,),
        max_boxes: int = 100,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        require_toolbox('mmdet', needed_by='BoxAPMetric')
        self.iou_thrs = list(iou_thrs)
        self.max_boxes = max_boxes
        self.predictions: DetectionPredictions | None = None
        self.coco_format = METRICS.build(dict(type='mmdet.CocoMetric', prefix='boxes'))

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep each sample's true and predicted boxes.

        Args:
            data_batch (Any): Handed on to ``mmdet.CocoMetric``.
            data_samples (Sequence[dict]): Predictions of mmdet: ``pred_instances`` (boxes in pixels
                of the original film, shape (N, 4), x1 y1 x2 y2), ``img_id``, ``ori_shape`` and
                ``instances`` (true boxes as in the annotation); where ``mmdet.PackDetInputs`` names
                them in ``meta_keys``, ``img_path`` and ``patient_id``.
        """
        for sample in data_samples:
            if 'instances' not in sample:
                raise UserError(
                    "BoxAPMetric finds no true boxes in the sample: add 'instances' to meta_keys "
                    'of mmdet.PackDetInputs in the pipeline of val_dataloader and test_dataloader.'
                )
        self.coco_format.process(data_batch, data_samples)
        for sample, (truth, prediction) in zip(data_samples, self.coco_format.results, strict=True):
            image, patient = (str(sample.get(key) or '') for key in ('img_path', 'patient_id'))
            self.results.append((image, patient, truth, prediction))
        self.coco_format.results.clear()

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compute the average precisions over the whole data set.

        Args:
            results (list): For each sample image, patient, truth and prediction.

        Returns:
            dict[str, float]: Measures in percent by key.
        """
        classes = list((self.dataset_meta or {})['classes'])
        evaluation = self._evaluate(results, classes) if results else None
        films = _films_of(evaluation, results, classes)
        self.predictions = films if len(self.iou_thrs) == 1 else None
        per_class = [float('nan')] * len(classes)
        if evaluation is not None:
            # axes: IoU threshold, recall point, class, area range, number of boxes
            precision = evaluation.eval['precision'][:, :, :, 0, 0]
            for index in range(len(classes)):
                if any(film[index].true_boxes for film in films.boxes):
                    per_class[index] = float(precision[:, :, index].mean())
        absent = [name for name, value in zip(classes, per_class, strict=True) if np.isnan(value)]
        if absent:
            print_log(
                f'No true box of class {", ".join(repr(name) for name in absent)} in the '
                f'{len(results)} evaluated films: its AP is nan and left out of the mean.',
                logger='current',
                level=logging.WARNING,
            )
        mean = float('nan') if len(absent) == len(classes) else float(np.nanmean(per_class))
        measures = {'map': 100.0 * mean}
        for name, value in zip(classes, per_class, strict=True):
            measures['ap_' + name.lower().replace(' ', '_')] = 100.0 * float(value)
        return measures

    def _evaluate(self, results: list, classes: list[str]) -> Any:
        """Match the boxes of all films, and compute precisions.

        Args:
            results (list): For each sample image, patient, truth and prediction.
            classes (list[str]): Class names in the order of the labels.

        Returns:
            COCOeval: After its ``accumulate``.
        """
        from mmdet.datasets.api_wrappers import COCO, COCOeval

        _, _, truths, predictions = zip(*results, strict=True)
        converter = self.coco_format
        converter.dataset_meta = self.dataset_meta
        converter.cat_ids = list(range(len(classes)))
        # pycocotools prints its own progress; the log of a training run is no place for it.
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            prefix = str(Path(folder) / 'boxes')
            truth = COCO(converter.gt_to_coco_json(truths, prefix))
            boxes = load(converter.results2json(predictions, prefix)['bbox'])
            # pycocotools cannot load a result without boxes.
            evaluation = COCOeval(truth, truth.loadRes(boxes) if boxes else COCO(), 'bbox')
            evaluation.params.catIds = converter.cat_ids
            evaluation.params.imgIds = truth.getImgIds()
            evaluation.params.maxDets = [self.max_boxes]
            evaluation.params.iouThrs = np.array(self.iou_thrs)
            evaluation.params.areaRng = [evaluation.params.areaRng[0]]
            evaluation.params.areaRngLbl = [evaluation.params.areaRngLbl[0]]
            evaluation.evaluate()
            evaluation.accumulate()
        return evaluation


def _films_of(evaluation: Any, results: list, classes: list[str]) -> DetectionPredictions:
    """Keep what pycocotools matched at the first IoU threshold, in its order of films."""
    films = {truth['img_id']: (image, patient) for image, patient, truth, _ in results}
    order = list(evaluation.params.imgIds) if films else []
    # One entry for each class and film, classes outside; None where there is no box at all.
    entries = iter(evaluation.evalImgs if films else [])
    columns = [[_boxes_of(next(entries)) for _ in order] for _ in classes]
    return DetectionPredictions(
        tuple(films[film][0] for film in order),
        tuple(films[film][1] for film in order),
        tuple(classes),
        tuple(zip(*columns, strict=True)),
    )


def _boxes_of(entry: dict[str, Any] | None) -> ClassBoxes:
    """Keep the boxes that count of one film and class."""
    if entry is None:
        return ClassBoxes(0)
    counts = ~np.asarray(entry['dtIgnore'][0], dtype=bool)
    scores = np.asarray(entry['dtScores'], dtype=np.float64)[counts]
    matched = np.asarray(entry['dtMatches'][0])[counts] > 0
    true_boxes = int((~np.asarray(entry['gtIgnore'], dtype=bool)).sum())
    return ClassBoxes(true_boxes, tuple(scores.tolist()), tuple(matched.tolist()))

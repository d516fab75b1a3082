# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The segmentation columns of the published tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric

from muscle_mm.evaluation.segmentation_predictions import SegmentationPredictions
from muscle_mm.registry import METRICS
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.toolbox import require_toolbox


@METRICS.register_module()
class LungSegmentationMetric(BaseMetric):
    """Dice of the lung and mean IoU of lung and background, in percent.

    The areas and the ratios are those of ``mmseg.IoUMetric``, summed over the data set. It is used
    from inside because its own table averages Dice over background and lung, while the published
    Dice is the lung's alone, and because it rounds to two digits.

    Logged keys: ``dice``, ``miou``. What has no pixel in truth and prediction is NaN.

    Args:
        foreground (int): Class whose Dice is logged. Defaults to 1.
        ignore_index (int): Label of pixels that do not count. Defaults to 255.
        collect_device (str): ``'cpu'`` or ``'gpu'``, see mmengine's ``BaseMetric``. Defaults to
            'cpu'.
        prefix (str, optional): Prefix of the logged keys. Defaults to None, which gives
            ``'segmentation'``.
        collect_dir (str, optional): See mmengine's ``BaseMetric``. Defaults to None.

    Attributes:
        predictions (SegmentationPredictions | None): Areas of the films that were evaluated last,
            on the first process; None before and on the others.

    Raises:
        UserError: If mmseg is not installed, or the data set has no class ``foreground``.
    """

    default_prefix = 'segmentation'

    def __init__(
        self,
        foreground: int = 1,
        ignore_index: int = 255,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        require_toolbox('mmseg', needed_by='LungSegmentationMetric')
        self.foreground = foreground
        self.predictions: SegmentationPredictions | None = None
        self.areas = METRICS.build(
            dict(
                type='mmseg.IoUMetric',
                iou_metrics=['mIoU', 'mDice'],
                ignore_index=ignore_index,
                prefix='areas',
            )
        )

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep each sample's areas of intersection, union, prediction and truth.

        Args:
            data_batch (Any): Handed on to ``mmseg.IoUMetric``.
            data_samples (Sequence[dict]): Predictions of mmseg: ``pred_sem_seg`` and
                ``gt_sem_seg``, integer tensors of shape (1, H, W) under ``data``; where
                ``mmseg.PackSegInputs`` names them in ``meta_keys``, ``img_path`` and
                ``patient_id``.
        """
        classes = (self.dataset_meta or {}).get('classes', ())
        if not 0 <= self.foreground < len(classes):
            raise UserError(
                f'LungSegmentationMetric(foreground={self.foreground}): the data set has the '
                f'classes {tuple(classes)}. Set foreground to the index of one of them.'
            )
        self.areas.dataset_meta = self.dataset_meta
        self.areas.process(data_batch, data_samples)
        for sample, areas in zip(data_samples, self.areas.results, strict=True):
            image, patient = (str(sample.get(key) or '') for key in ('img_path', 'patient_id'))
            self.results.append((image, patient, areas))
        self.areas.results.clear()

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compute both measures over the whole data set.

        Args:
            results (list): For each sample image, patient and four area tensors, shape (number of
                classes,).

        Returns:
            dict[str, float]: Measures in percent by key.
        """
        self.predictions = self._predictions_of(results)
        if not results:
            return {'dice': float('nan'), 'miou': float('nan')}
        areas = [areas for _, _, areas in results]
        # Sums in double precision: the areas of a large set exceed what float32 counts exactly.
        totals = [sum(area.double() for area in column) for column in zip(*areas, strict=True)]
        ratios = self.areas.total_area_to_metrics(*totals, metrics=['mIoU', 'mDice'])
        per_class_iou = np.asarray(ratios['IoU'])
        seen = per_class_iou[~np.isnan(per_class_iou)]
        return {
            'dice': 100.0 * float(ratios['Dice'][self.foreground]),
            'miou': 100.0 * float(seen.mean()) if seen.size else float('nan'),
        }

    def _predictions_of(self, results: list) -> SegmentationPredictions:
        """Keep the areas of each film, of the foreground first."""
        classes = list((self.dataset_meta or {}).get('classes', ()))
        order = [self.foreground, *(i for i in range(len(classes)) if i != self.foreground)]
        rows = []
        for image, patient, (intersection, _, predicted, true) in results:
            areas = np.stack([area.numpy() for area in (intersection, predicted, true)], axis=-1)
            rows.append((image, patient, areas[order]))
        return SegmentationPredictions.from_rows([classes[i] for i in order if classes], rows)

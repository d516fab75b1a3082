# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from mmengine.registry import METRICS

from muscle_mm.evaluation import LungSegmentationMetric
from muscle_mm.utils.errors import UserError

pytest.importorskip('mmseg', reason='needs mmsegmentation')

CLASSES = {'classes': ('background', 'lung')}


def random_samples(count=5, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def random_map():
        return {'data': torch.randint(0, 2, (1, 9, 11), generator=generator)}

    return [{'pred_sem_seg': random_map(), 'gt_sem_seg': random_map()} for _ in range(count)]


def evaluate(metric, samples):
    metric.dataset_meta = CLASSES
    for sample in samples:
        metric.process(None, [sample])
    return metric.evaluate(len(samples))


def test_agrees_with_numpy_over_the_whole_set():
    samples = random_samples()
    predicted = np.stack([sample['pred_sem_seg']['data'].numpy() for sample in samples])
    true = np.stack([sample['gt_sem_seg']['data'].numpy() for sample in samples])
    dice = 2 * (predicted & true).sum() / (predicted.sum() + true.sum())
    iou = [
        ((predicted == index) & (true == index)).sum()
        / ((predicted == index) | (true == index)).sum()
        for index in (0, 1)
    ]
    measures = evaluate(LungSegmentationMetric(), samples)
    assert list(measures) == ['segmentation/dice', 'segmentation/miou']
    assert measures['segmentation/dice'] == pytest.approx(100 * dice, abs=1e-9)
    assert measures['segmentation/miou'] == pytest.approx(100 * np.mean(iou), abs=1e-9)


def test_agrees_with_mmseg_up_to_its_rounding():
    samples = random_samples(seed=1)
    stock = METRICS.build({'type': 'mmseg.IoUMetric', 'prefix': 'stock'})
    measures = evaluate(LungSegmentationMetric(), samples)
    assert measures['segmentation/miou'] == pytest.approx(
        evaluate(stock, samples)['stock/mIoU'], abs=0.005
    )


def test_ignored_pixels_do_not_count():
    sample = random_samples(1)[0]
    sample['gt_sem_seg']['data'] = sample['pred_sem_seg']['data'].clone()
    sample['gt_sem_seg']['data'][0, :4] = 255
    measures = evaluate(LungSegmentationMetric(), [sample])
    assert measures == {'segmentation/dice': 100, 'segmentation/miou': 100}


def test_a_second_evaluation_starts_afresh():
    metric = LungSegmentationMetric()
    first = evaluate(metric, random_samples(seed=2))
    evaluate(metric, random_samples(seed=3))
    assert evaluate(metric, random_samples(seed=2)) == first


def test_no_lung_anywhere_is_nan():
    empty = {'data': torch.zeros(1, 4, 4, dtype=torch.long)}
    measures = evaluate(LungSegmentationMetric(), [{'pred_sem_seg': empty, 'gt_sem_seg': empty}])
    assert np.isnan(measures['segmentation/dice'])
    assert measures['segmentation/miou'] == 100


def test_no_sample_at_all_is_nan():
    assert all(np.isnan(value) for value in evaluate(LungSegmentationMetric(), []).values())


def test_a_foreground_that_is_no_class_is_refused():
    with pytest.raises(UserError, match=r'foreground=2.*background.*lung'):
        evaluate(LungSegmentationMetric(foreground=2), random_samples(1))

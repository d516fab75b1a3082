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


def degenerate_samples(kind):
    """Films of different sizes whose prediction or truth may lack a class."""
    generator, samples = torch.Generator().manual_seed(3), []
    for height, width in [(9, 11), (1, 1), (16, 5)]:
        maps = torch.randint(0, 2, (2, 1, height, width), generator=generator)
        if kind == 'no lung predicted':
            maps[0] = 0
        elif kind == 'no true lung':
            maps[1] = 0
        elif kind == 'only lung':
            maps[:] = 1
        elif kind == 'perfect':
            maps[0] = maps[1]
        elif kind == 'inverted':
            maps[0] = 1 - maps[1]
        elif kind == 'ignored pixels':
            maps[1][..., ::2] = 255
        samples.append({'pred_sem_seg': {'data': maps[0]}, 'gt_sem_seg': {'data': maps[1]}})
    return samples


@pytest.mark.parametrize(
    'kind',
    [
        'random',
        'no lung predicted',
        'no true lung',
        'only lung',
        'perfect',
        'inverted',
        'ignored pixels',
    ],
)
def test_agrees_with_mmseg_and_numpy(kind):
    samples = degenerate_samples(kind)
    predicted, true = (
        np.concatenate([sample[key]['data'].numpy().ravel() for sample in samples])
        for key in ('pred_sem_seg', 'gt_sem_seg')
    )
    predicted, true = predicted[true != 255], true[true != 255]
    unions = [((predicted == index) | (true == index)).sum() for index in (0, 1)]
    iou = [
        ((predicted == index) & (true == index)).sum() / union
        for index, union in enumerate(unions)
        if union
    ]
    both = (predicted == 1).sum() + (true == 1).sum()
    measures = evaluate(LungSegmentationMetric(), samples)
    assert measures['segmentation/miou'] == pytest.approx(100 * np.mean(iou), abs=1e-6)
    assert measures['segmentation/dice'] == pytest.approx(
        100 * 2 * (predicted & true).sum() / both, abs=1e-6
    )
    stock = METRICS.build({'type': 'mmseg.IoUMetric', 'prefix': 'stock'})
    # It rounds to two digits.
    assert evaluate(stock, samples)['stock/mIoU'] == pytest.approx(
        measures['segmentation/miou'], abs=0.005 + 1e-6
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


@pytest.mark.parametrize('kind', ['random', 'no lung predicted', 'perfect', 'ignored pixels'])
@pytest.mark.parametrize('foreground', [0, 1])
def test_rows_of_films_add_up_to_the_measures(kind, foreground):
    samples = [
        {**sample, 'img_path': f'{number}.png', 'patient_id': f'p{number}'}
        for number, sample in enumerate(degenerate_samples(kind))
    ]
    metric = LungSegmentationMetric(foreground=foreground)
    measures = evaluate(metric, samples)
    rows, every = metric.predictions, np.ones((1, len(samples)), dtype=int)
    assert rows.images == ('0.png', '1.png', '2.png')
    assert rows.patients == ('p0', 'p1', 'p2')
    assert rows.classes == (('background', 'lung') if foreground == 0 else ('lung', 'background'))
    dice, miou = 100 * rows.main_scores(every)[0], 100 * rows.mean_iou(every)[0]
    assert measures['segmentation/dice'] == pytest.approx(dice, abs=1e-9)
    assert measures['segmentation/miou'] == pytest.approx(miou, abs=1e-9)


def test_films_of_no_known_file_have_rows_too():
    metric = LungSegmentationMetric()
    evaluate(metric, random_samples(2))
    assert metric.predictions.images == metric.predictions.patients == ('', '')

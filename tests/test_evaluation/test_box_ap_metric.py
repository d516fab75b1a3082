# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from mmengine.registry import METRICS

from muscle_mm.evaluation import BoxAPMetric
from muscle_mm.utils.errors import UserError

pytest.importorskip('mmdet', reason='needs mmdetection')
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

CLASSES = {'classes': ('Active', 'Latent TB')}


def sample(identity, true, predicted):
    """One film: true boxes as (box, label), predicted boxes as (box, label, score)."""
    return {
        'img_id': identity,
        'ori_shape': (100, 120),
        'instances': [
            {'bbox': list(box), 'bbox_label': label, 'ignore_flag': 0} for box, label in true
        ],
        'pred_instances': {
            'bboxes': torch.tensor([box for box, _, _ in predicted]).float().reshape(-1, 4),
            'labels': torch.tensor([label for _, label, _ in predicted], dtype=torch.long),
            'scores': torch.tensor([score for _, _, score in predicted]).float(),
        },
    }


def random_samples(count=12, seed=0):
    generator = np.random.default_rng(seed)

    def random_box():
        x, y = generator.uniform(0, 60, 2)
        return [x, y, x + generator.uniform(15, 40), y + generator.uniform(15, 40)]

    samples = []
    for identity in range(count):
        true = [(random_box(), int(generator.integers(2))) for _ in range(3)]
        near = [
            (list(np.array(box) + generator.normal(0, 3, 4)), label, generator.random())
            for box, label in true
        ]
        far = [(random_box(), int(generator.integers(2)), generator.random()) for _ in range(4)]
        samples.append(sample(identity, true, near + far))
    return samples


def evaluate(metric, samples, meta=CLASSES):
    metric.dataset_meta = meta
    for item in samples:
        metric.process(None, [item])
    return metric.evaluate(len(samples))


def test_keys_and_a_hand_counted_value():
    box, other = [10, 10, 30, 30], [50, 50, 80, 90]
    measures = evaluate(
        BoxAPMetric(),
        [
            # a false box scores highest, the true one follows: precision 1/2 at full recall
            sample(0, [(box, 0)], [(other, 0, 0.9), (box, 0, 0.8)]),
            sample(1, [(other, 1)], [(other, 1, 0.7)]),
        ],
    )
    assert measures == {
        'detection/map': pytest.approx(75),
        'detection/ap_active': pytest.approx(50),
        'detection/ap_latent_tb': pytest.approx(100),
    }


def test_agrees_with_mmdet_over_all_coco_thresholds_up_to_its_rounding():
    samples = random_samples()
    thresholds = np.linspace(0.5, 0.95, 10)
    stock = METRICS.build({'type': 'mmdet.CocoMetric', 'classwise': True})
    expected = evaluate(stock, samples)
    measures = evaluate(BoxAPMetric(iou_thrs=thresholds), samples)
    assert 10 < measures['detection/map'] < 90
    assert measures['detection/map'] == pytest.approx(100 * expected['coco/bbox_mAP'], abs=0.051)
    assert measures['detection/ap_active'] == pytest.approx(
        100 * expected['coco/Active_precision'], abs=0.051
    )
    at_half = evaluate(BoxAPMetric(), samples)
    assert at_half['detection/map'] == pytest.approx(100 * expected['coco/bbox_mAP_50'], abs=0.051)


def pycocotools_precisions(samples, thresholds):
    """AP of each class by pycocotools, on a conversion of the test's own; mmdet would round it."""
    annotations, predictions = [], []
    for item in samples:
        for instance in item['instances']:
            x1, y1, x2, y2 = instance['bbox']
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=item['img_id'],
                    category_id=instance['bbox_label'],
                    bbox=[x1, y1, x2 - x1, y2 - y1],
                    area=(x2 - x1) * (y2 - y1),
                    iscrowd=0,
                )
            )
        found = item['pred_instances']
        for box, label, score in zip(*(found[key].tolist() for key in found), strict=True):
            x1, y1, x2, y2 = box
            predictions.append(
                dict(
                    image_id=item['img_id'],
                    category_id=label,
                    bbox=[x1, y1, x2 - x1, y2 - y1],
                    score=score,
                )
            )
    truth = COCO()
    truth.dataset = dict(
        info={},
        images=[dict(id=item['img_id'], height=100, width=120) for item in samples],
        annotations=annotations,
        categories=[dict(id=index, name=name) for index, name in enumerate(CLASSES['classes'])],
    )
    truth.createIndex()
    evaluation = COCOeval(truth, truth.loadRes(predictions), 'bbox')
    evaluation.params.iouThrs = np.array(thresholds)
    evaluation.evaluate()
    evaluation.accumulate()
    precision = evaluation.eval['precision'][:, :, :, 0, -1]
    return [
        precision[:, :, index].mean() if (precision[:, :, index] > -1).any() else float('nan')
        for index in range(2)
    ]


@pytest.mark.parametrize('kind', ['random', 'ties', 'no prediction', 'no truth', 'one class'])
@pytest.mark.parametrize('thresholds', [(0.5,), tuple(np.linspace(0.5, 0.95, 10))])
def test_agrees_with_pycocotools(kind, thresholds):
    samples = random_samples(seed=5)
    for item in samples[::2]:
        boxes = item['pred_instances']
        if kind == 'ties':
            boxes['scores'] = (2 * boxes['scores']).round() / 2
        elif kind == 'no prediction':
            item['pred_instances'] = {key: value[:0] for key, value in boxes.items()}
        elif kind == 'no truth':
            item['instances'] = []
    if kind == 'one class':
        for item in samples:
            item['instances'] = [one for one in item['instances'] if one['bbox_label'] == 0]
    expected = pycocotools_precisions(samples, thresholds)
    measures = evaluate(BoxAPMetric(iou_thrs=thresholds), samples)
    found = [measures['detection/ap_active'], measures['detection/ap_latent_tb']]
    assert found == pytest.approx([100 * value for value in expected], abs=1e-6, nan_ok=True)
    assert measures['detection/map'] == pytest.approx(100 * np.nanmean(expected), abs=1e-6)


def test_no_predicted_box_is_an_ap_of_zero():
    measures = evaluate(BoxAPMetric(), [sample(0, [([1, 1, 9, 9], 0), ([1, 1, 9, 9], 1)], [])])
    assert set(measures.values()) == {0}


def test_a_class_without_a_true_box_is_nan_and_named(monkeypatch):
    messages = []
    monkeypatch.setattr(
        'muscle_mm.evaluation.box_ap_metric.print_log',
        lambda message, **_: messages.append(message),
    )
    box = [1, 1, 9, 9]
    measures = evaluate(BoxAPMetric(), [sample(0, [(box, 0)], [(box, 0, 0.9), (box, 1, 0.9)])])
    assert measures['detection/map'] == measures['detection/ap_active'] == pytest.approx(100)
    assert np.isnan(measures['detection/ap_latent_tb'])
    assert len(messages) == 1
    assert "No true box of class 'Latent TB' in the 1 evaluated films" in messages[0]


@pytest.mark.parametrize(
    'samples', [[], [sample(0, [], [])], [sample(0, [], [([1, 1, 9, 9], 0, 1)])]]
)
def test_no_true_box_anywhere_is_nan(samples):
    assert all(np.isnan(value) for value in evaluate(BoxAPMetric(), samples).values())


def test_a_second_evaluation_starts_afresh():
    metric = BoxAPMetric()
    first = evaluate(metric, random_samples(seed=1))
    assert evaluate(metric, random_samples(seed=2)) != first
    assert evaluate(metric, random_samples(seed=1)) == first


def test_missing_truth_names_the_key():
    item = sample(0, [], [])
    del item['instances']
    with pytest.raises(UserError, match=r"'instances' to meta_keys of mmdet\.PackDetInputs"):
        BoxAPMetric().process(None, [item])


@pytest.mark.parametrize('kind', ['random', 'ties', 'no prediction', 'no truth', 'crowd', 'empty'])
def test_rows_of_films_have_the_average_precision_of_the_metric(kind):
    samples = [] if kind == 'empty' else random_samples(seed=7)
    for number, item in enumerate(samples):
        item |= {'img_path': f'{number}.png', 'patient_id': f'p{number // 2}'}
        boxes = item['pred_instances']
        if kind == 'ties':
            boxes['scores'] = (2 * boxes['scores']).round() / 2
        elif kind == 'no prediction':
            item['pred_instances'] = {key: value[:0] for key, value in boxes.items()}
        elif kind == 'no truth' and number % 3:
            item['instances'] = []
        elif kind == 'crowd':
            item['instances'][number % 3]['ignore_flag'] = 1
    metric = BoxAPMetric()
    measures = evaluate(metric, samples)
    rows, every = metric.predictions, np.ones((1, len(samples)), dtype=int)
    assert rows.images == tuple(f'{number}.png' for number in range(len(samples)))
    assert rows.patients == tuple(f'p{number // 2}' for number in range(len(samples)))
    found = 100 * rows.average_precisions(every)[0]
    expected = [measures['detection/ap_active'], measures['detection/ap_latent_tb']]
    assert found == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert 100 * rows.main_scores(every)[0] == pytest.approx(
        measures['detection/map'], abs=1e-6, nan_ok=True
    )


def test_several_thresholds_have_no_rows():
    metric = BoxAPMetric(iou_thrs=(0.5, 0.75))
    evaluate(metric, random_samples())
    assert metric.predictions is None

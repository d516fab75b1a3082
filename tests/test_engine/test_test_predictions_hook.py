# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json
import logging
from types import SimpleNamespace

import pytest
import torch

from muscle_mm.engine import TestPredictionsHook
from muscle_mm.evaluation import (
    BinaryClassificationMetric,
    BinaryPredictions,
    BoxAPMetric,
    DetectionPredictions,
    LungSegmentationMetric,
    SegmentationPredictions,
)

FILMS = [
    {
        'gt_label': torch.tensor([i // 2 % 2]),
        'pred_score': torch.tensor([1 - i / 8, i / 8]),
        'img_path': f'{i}.png',
        'study': f's{i // 2}',
    }
    for i in range(8)
]


@pytest.fixture
def run(tmp_path):
    """Write what metrics have evaluated into tmp_path."""

    def run(*metrics, rank=0, work_dir=tmp_path):
        for metric in metrics:
            metric.process(None, FILMS)
            metric.evaluate(len(FILMS))
        TestPredictionsHook().after_test_epoch(
            SimpleNamespace(
                rank=rank,
                work_dir=str(work_dir),
                test_evaluator=SimpleNamespace(metrics=[object(), *metrics]),
                logger=logging.getLogger('test_predictions_hook'),
            )
        )
        return sorted(path.name for path in tmp_path.iterdir())

    return run


def test_predictions_and_curves_are_written(run, tmp_path):
    assert run(BinaryClassificationMetric(by_study=True)) == [
        'test_curves.json',
        'test_predictions.csv',
    ]
    films = BinaryPredictions.read(tmp_path / 'test_predictions.csv')
    assert films.images == tuple(f'{i}.png' for i in range(8))
    assert films.scores.tolist() == [i / 8 for i in range(8)]
    curves = json.loads((tmp_path / 'test_curves.json').read_text())
    assert set(curves) == {'roc', 'calibration', 'study'}
    assert set(curves['study']) == {'roc', 'calibration'}
    assert sum(one['films'] for one in curves['calibration']['bins']) == 8
    assert sum(one['films'] for one in curves['study']['calibration']['bins']) == 4


def test_metrics_with_other_prefixes_have_files_of_their_own(run):
    assert run(BinaryClassificationMetric(), BinaryClassificationMetric(prefix='other')) == [
        'test_curves.json',
        'test_curves_other.json',
        'test_predictions.csv',
        'test_predictions_other.csv',
    ]


def test_areas_and_boxes_of_films_are_written(tmp_path):
    pytest.importorskip('mmseg', reason='needs mmsegmentation')
    pytest.importorskip('mmdet', reason='needs mmdetection')
    box = torch.tensor([[1.0, 1, 3, 4]])
    sample = {
        'img_id': 0,
        'img_path': 'a.png',
        'patient_id': 'p',
        'ori_shape': (4, 5),
        'pred_sem_seg': {'data': torch.ones(1, 4, 5, dtype=torch.long)},
        'gt_sem_seg': {'data': torch.ones(1, 4, 5, dtype=torch.long)},
        'instances': [{'bbox': box[0].tolist(), 'bbox_label': 0, 'ignore_flag': 0}],
        'pred_instances': {
            'bboxes': box,
            'labels': torch.tensor([0]),
            'scores': torch.tensor([0.5]),
        },
    }
    metrics = LungSegmentationMetric(), BoxAPMetric(prefix='boxes')
    for metric in metrics:
        metric.dataset_meta = {'classes': ('a', 'b')}
        metric.process(None, [sample])
        metric.evaluate(1)
    TestPredictionsHook().after_test_epoch(
        SimpleNamespace(
            rank=0,
            work_dir=str(tmp_path),
            test_evaluator=SimpleNamespace(metrics=[*metrics, BoxAPMetric()]),
            logger=logging.getLogger('test_predictions_hook'),
        )
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        'test_predictions.csv',
        'test_predictions_boxes.csv',
    ]
    areas = SegmentationPredictions.read(tmp_path / 'test_predictions.csv')
    assert areas.areas.tolist() == [[[20, 20, 20], [0, 0, 0]]]
    boxes = DetectionPredictions.read(tmp_path / 'test_predictions_boxes.csv')
    assert boxes.boxes[0][0].matched == (True,)


def test_other_processes_write_nothing(run):
    assert run(BinaryClassificationMetric(), rank=1) == []


def test_a_file_that_cannot_be_written_is_a_warning(run, tmp_path, caplog):
    assert run(BinaryClassificationMetric(), work_dir=tmp_path / 'nowhere') == []
    assert 'the predictions of the test cannot be written' in caplog.text


def test_a_training_leaves_them_in_its_work_directory(train_and_test):
    work_dir = train_and_test(
        custom_hooks=[
            dict(type='muscle_mm.TestAfterTrainHook'),
            dict(type='muscle_mm.TestPredictionsHook'),
        ]
    )
    films = BinaryPredictions.read(work_dir / 'test_predictions.csv')
    assert films.labels.tolist() == [0, 1] * 6
    metrics = json.loads((work_dir / 'test_metrics.json').read_text())['metrics']
    accuracy = 100 * ((films.scores >= 0.5) == films.labels).mean()
    assert metrics['binary/accuracy'] == pytest.approx(accuracy)

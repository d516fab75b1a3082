# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner

from muscle_mm.evaluation import BinaryClassificationMetric, MultiTaskMetric
from muscle_mm.utils.errors import UserError

BINARY = {'type': 'muscle_mm.BinaryClassificationMetric'}


def samples(seed, count):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(count, generator=generator)
    return [
        {'gt_label': torch.tensor([index % 2]), 'pred_score': torch.stack([1 - score, score])}
        for index, score in enumerate(scores)
    ]


def meta(**sizes):
    return {
        'tasks': {
            task: {'classes': ('negative', 'positive'), 'size': size}
            for task, size in sizes.items()
        }
    }


def test_each_task_gets_what_its_metric_alone_would_give():
    metric = MultiTaskMetric({'mura': BINARY, 'pneumonia': [BINARY]})
    metric.dataset_meta = meta(mura=9, pneumonia=6)
    data = {'mura': samples(0, 9), 'pneumonia': samples(1, 6)}
    for start in (0, 3, 6):
        for task in ('pneumonia', 'mura'):
            batch = data[task][start : start + 3]
            if batch:
                metric.process({'task': [task] * len(batch)}, batch)
    measures = metric.evaluate(15)

    for task, items in data.items():
        alone = BinaryClassificationMetric()
        alone.process(None, items)
        for key, value in alone.evaluate(len(items)).items():
            assert measures.pop(f'{task}/{key}') == value
    assert measures == {}


def test_padded_samples_are_dropped_by_the_size_of_the_task():
    metric = MultiTaskMetric({'mura': BINARY})
    metric.dataset_meta = meta(mura=4)
    metric.process({'task': ['mura'] * 6}, samples(0, 6))
    alone = BinaryClassificationMetric()
    alone.process(None, samples(0, 6)[:4])
    assert metric.evaluate(6)['mura/binary/auc'] == alone.evaluate(4)['binary/auc']


def test_runs_in_mmengines_evaluator_and_as_a_list_in_a_config():
    config = [{'type': 'muscle_mm.MultiTaskMetric', 'metrics': {'mura': BINARY}}]
    evaluator = Runner.build_evaluator(None, config)
    assert isinstance(evaluator, Evaluator)
    evaluator.dataset_meta = meta(mura=4)
    evaluator.process(data_samples=samples(0, 4), data_batch={'task': ['mura'] * 4})
    assert 'mura/binary/auc' in evaluator.evaluate(4)


def test_a_prefix_comes_before_the_task():
    metric = MultiTaskMetric({'mura': BINARY}, prefix='continual')
    metric.dataset_meta = meta(mura=2)
    metric.process({'task': ['mura', 'mura']}, samples(0, 2))
    assert 'continual/mura/binary/auc' in metric.evaluate(2)


@pytest.mark.parametrize(
    ('batch', 'message'),
    [
        ({'task': ['hips']}, "no metric for task 'hips', only for 'mura'"),
        ({'inputs': []}, r"does not name its task \(key 'task'\)"),
        (None, r"does not name its task \(key 'task'\)"),
    ],
)
def test_batches_without_a_known_task_are_refused(batch, message):
    metric = MultiTaskMetric({'mura': BINARY})
    metric.dataset_meta = meta(mura=2)
    with pytest.raises(UserError, match=message):
        metric.process(batch, samples(0, 1))


def test_missing_meta_information_names_the_key():
    metric = MultiTaskMetric({'mura': BINARY})
    metric.dataset_meta = {'classes': ('a', 'b')}
    with pytest.raises(UserError, match=r"dataset_meta\['tasks'\]\['mura'\]\['size'\] is missing"):
        metric.evaluate(2)


def test_two_metrics_with_one_key_are_refused():
    metric = MultiTaskMetric({'mura': [BINARY, BINARY]})
    metric.dataset_meta = meta(mura=2)
    metric.process({'task': ['mura', 'mura']}, samples(0, 2))
    with pytest.raises(
        UserError, match="two metrics of task 'mura' log the same key 'binary/accuracy'"
    ):
        metric.evaluate(2)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The toolboxes' own transforms and packing work on a sample as it comes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from muscle_mm.datasets import MURA, TBX, ChestXrayMasks
from muscle_mm.registry import DATASETS, METRICS
from muscle_mm.utils.toolbox import require_toolbox

LOAD = {'type': 'muscle_mm.LoadXray'}


def test_mmpretrain(prepared):
    pytest.importorskip('mmpretrain')
    require_toolbox('mmpretrain', 'this test')
    dataset = MURA(
        data_root=prepared('MURA'),
        pipeline=[
            LOAD,
            {'type': 'mmpretrain.RandomResizedCrop', 'scale': 8},
            {'type': 'mmpretrain.RandomFlip', 'prob': 0.5},
            {'type': 'mmpretrain.PackInputs'},
        ],
    )
    packed = dataset[0]
    assert packed['inputs'].shape == (1, 8, 8)
    assert packed['inputs'].dtype == torch.uint8
    assert packed['data_samples'].gt_label.tolist() == [dataset.get_data_info(0)['gt_label']]
    assert packed['data_samples'].ori_shape == (12, 10)


@pytest.mark.parametrize(('task', 'name'), [('mura', 'MURA'), ('pneumonia', 'PneumoniaCXR')])
def test_mmpretrain_hands_patients_and_studies_to_the_metric(prepared, task, name):
    pytest.importorskip('mmpretrain')
    require_toolbox('mmpretrain', 'this test')
    folder = Path(__file__).parents[2] / 'configs/_base_/datasets'
    config = Config.fromfile(folder / 'classification.py')
    dataset = DATASETS.build(config[f'{task}_val'] | {'data_root': str(prepared(name))})
    metric = METRICS.build(config[f'{task}_metric'])
    packed = [item['data_samples'].set_pred_score(torch.tensor([0.5, 0.5])) for item in dataset]
    metric.process(None, [sample.to_dict() for sample in packed])
    metric.evaluate(len(dataset))
    records = [dataset.get_data_info(index) for index in range(len(dataset))]
    assert list(metric.predictions.images) == [record['img_path'] for record in records]
    assert list(metric.predictions.patients) == [record['patient_id'] for record in records]
    assert list(metric.predictions.studies) == [record.get('study', '') for record in records]
    assert all(metric.predictions.patients)


def test_mmseg(prepared):
    pytest.importorskip('mmseg')
    require_toolbox('mmseg', 'this test')
    dataset = ChestXrayMasks(
        data_root=prepared('ChestXrayMasks'),
        pipeline=[
            LOAD,
            {'type': 'mmseg.LoadAnnotations'},
            {'type': 'mmseg.Resize', 'scale': (20, 24), 'keep_ratio': True},
            {'type': 'mmseg.RandomFlip', 'prob': 1.0},
            {'type': 'mmseg.PackSegInputs'},
        ],
    )
    packed = dataset[0]
    assert packed['inputs'].shape == (1, 24, 20)
    assert packed['inputs'].dtype == torch.uint8
    mask = packed['data_samples'].gt_sem_seg.data
    assert mask.shape == (1, 24, 20)
    assert mask[0, :12].eq(1).all() and mask[0, 12:].eq(0).all()


def test_mmdet(prepared):
    pytest.importorskip('mmdet')
    require_toolbox('mmdet', 'this test')
    dataset = TBX(
        data_root=prepared('TBX'),
        pipeline=[
            LOAD,
            {'type': 'mmdet.LoadAnnotations', 'with_bbox': True},
            {'type': 'mmdet.Resize', 'scale': (20, 24), 'keep_ratio': True},
            {'type': 'mmdet.RandomFlip', 'prob': 0.0},
            {'type': 'mmdet.PackDetInputs'},
        ],
    )
    packed = dataset[0]
    assert packed['inputs'].shape == (1, 24, 20)
    assert packed['inputs'].dtype == torch.uint8
    truth = packed['data_samples'].gt_instances
    boxes = [instance['bbox'] for instance in dataset.get_data_info(0)['instances']]
    np.testing.assert_allclose(truth.bboxes.tensor.numpy(), 2 * np.array(boxes))
    assert truth.labels.tolist() == [1, 1]
    assert packed['data_samples'].img_id == 0

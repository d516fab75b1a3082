# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Other models of the three toolboxes, over other backbones, in one multi-task model."""

from copy import deepcopy

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.runner.checkpoint import get_state_dict, load_state_dict
from mmengine.structures import InstanceData, PixelData

from muscle_mm.models.backbone_init import BackboneInit
from muscle_mm.registry import MODELS
from muscle_mm.utils.errors import UserError

pytest.importorskip('mmseg')
pytest.importorskip('mmdet')

SIZE = 64


def grey(preprocessor):
    values = dict(mean=[128.0] * 3, std=[50.0] * 3)
    return dict(type='muscle_mm.GreyDataPreprocessor', preprocessor={**preprocessor, **values})


def classifier(channels, head=None, neck='mmpretrain.GlobalAveragePooling'):
    head = head or dict(type='mmpretrain.LinearClsHead', topk=(1,), num_classes=2)
    return dict(
        type='mmpretrain.ImageClassifier',
        neck=neck and dict(type=neck),
        head=dict(**head, in_channels=channels[-1]),
        data_preprocessor=grey(dict(type='mmpretrain.ClsDataPreprocessor')),
    )


def multi_label(channels, **options):
    head = dict(type='mmpretrain.MultiLabelLinearClsHead', num_classes=3)
    return classifier(channels, head, **options)


def upernet(channels):
    return dict(
        type='mmseg.EncoderDecoder',
        decode_head=dict(
            type='mmseg.UPerHead',
            in_channels=channels,
            in_index=[0, 1, 2, 3],
            pool_scales=(1, 2),
            channels=8,
            num_classes=2,
            norm_cfg=dict(type='BN'),
            align_corners=False,
            loss_decode=dict(type='mmseg.CrossEntropyLoss'),
        ),
        train_cfg=dict(),
        test_cfg=dict(mode='whole'),
        data_preprocessor=grey(dict(type='mmseg.SegDataPreProcessor', size_divisor=32)),
    )


def retinanet(channels):
    return dict(
        type='mmdet.RetinaNet',
        neck=dict(
            type='mmdet.FPN',
            in_channels=channels,
            out_channels=8,
            start_level=1,
            add_extra_convs='on_input',
            num_outs=4,
        ),
        bbox_head=dict(
            type='mmdet.RetinaHead',
            num_classes=2,
            in_channels=8,
            feat_channels=8,
            stacked_convs=1,
            anchor_generator=dict(
                type='mmdet.AnchorGenerator',
                octave_base_scale=4,
                scales_per_octave=1,
                ratios=[1.0],
                strides=[8, 16, 32, 64],
            ),
            bbox_coder=dict(type='mmdet.DeltaXYWHBBoxCoder'),
            loss_cls=dict(type='mmdet.FocalLoss', use_sigmoid=True),
            loss_bbox=dict(type='mmdet.L1Loss'),
        ),
        train_cfg=dict(
            assigner=dict(type='mmdet.MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.4),
            sampler=dict(type='mmdet.PseudoSampler'),
            allowed_border=-1,
            pos_weight=-1,
        ),
        test_cfg=dict(
            nms_pre=50,
            min_bbox_size=0,
            score_thr=0.0,
            nms=dict(type='nms', iou_threshold=0.5),
            max_per_img=5,
        ),
        data_preprocessor=grey(dict(type='mmdet.DetDataPreprocessor', pad_size_divisor=32)),
    )


EVERY_OUTPUT = dict(out_indices=(0, 1, 2, 3))
RESNET = dict(
    type='mmpretrain.ResNet', depth=18, base_channels=8, stem_channels=8, out_indices=(3,)
)
CONVNEXT = dict(
    type='mmpretrain.ConvNeXt',
    arch=dict(depths=[1, 1, 2, 1], channels=[8, 16, 32, 64]),
    out_indices=(3,),
    drop_path_rate=0.1,
)
SWIN = dict(
    type='mmpretrain.SwinTransformer',
    arch=dict(embed_dims=8, depths=[1, 1, 2, 1], num_heads=[1, 2, 2, 4]),
    img_size=SIZE,
    window_size=4,
    out_indices=(3,),
    pad_small_map=True,
)
CHANNELS = [8, 16, 32, 64]


def three_tasks(backbone):
    """A multi-label classifier, a UPerNet and a RetinaNet over one backbone."""
    dense = dict(EVERY_OUTPUT)
    neck = 'mmpretrain.GlobalAveragePooling'
    if backbone is CONVNEXT:
        dense['gap_before_final_norm'] = False  # maps for them, one vector for the classifier
        neck = None
    init_cfg = dict(type='muscle_mm.BackboneInit')
    return dict(
        type='muscle_mm.MultiTaskPretrainer',
        backbone=dict(deepcopy(backbone), init_cfg=init_cfg) if backbone is RESNET else backbone,
        tasks=dict(
            findings=multi_label(CHANNELS, neck=neck),
            lung=dict(**upernet(CHANNELS), backbone=dense),
            nodules=dict(**retinanet(CHANNELS), backbone=dense),
        ),
    )


def build(config):
    torch.manual_seed(0)
    model = MODELS.build(Config(dict(model=deepcopy(config))).model)
    model.init_weights()
    return model.train()


def batch(model, task, size=2):
    from mmdet.structures import DetDataSample
    from mmpretrain.structures import DataSample
    from mmseg.structures import SegDataSample

    generator = torch.Generator().manual_seed(1)
    shape = (1, SIZE, SIZE)
    films = [torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator) for _ in '12']
    meta = dict(
        img_shape=shape[1:], ori_shape=shape[1:], pad_shape=shape[1:], img_id=0, scale_factor=(1, 1)
    )
    kind = type(model.tasks[task]).__name__
    samples = []
    for index in range(size):
        if kind == 'ImageClassifier':
            several = 'MultiLabel' in type(model.tasks[task].head).__name__
            sample = DataSample().set_gt_label([0, 1 + index] if several else index)
        elif kind == 'EncoderDecoder':
            mask = torch.zeros(shape, dtype=torch.long)
            mask[:, 16:48, 16:48] = 1
            sample = SegDataSample(metainfo=meta, gt_sem_seg=PixelData(data=mask))
        else:
            boxes = InstanceData(
                bboxes=torch.tensor([[8.0, 8.0, 40.0, 40.0]]), labels=torch.tensor([index])
            )
            nothing = InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0).long())
            sample = DetDataSample(metainfo=meta, gt_instances=boxes)
            sample.ignored_instances = nothing
        samples.append(sample)
    return dict(task=[task] * size, inputs=films, data_samples=samples)


#: What each task's prediction is.
PREDICTED = dict(
    findings=lambda sample: sample.pred_score,
    lung=lambda sample: sample.pred_sem_seg.data,
    nodules=lambda sample: sample.pred_instances.bboxes,
)


def train(model, tasks, lr=0.01):
    optimizer = OptimWrapper(torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.1))
    logs = []
    for task in tasks:
        logs.append(model.train_step(batch(model, task), optimizer))
    return logs


@pytest.mark.parametrize(
    ('backbone', 'memory'),
    [
        (RESNET, None),
        (RESNET, 'EMATeacher'),
        (CONVNEXT, 'FeatureDistillation'),
        (SWIN, 'EMATeacher'),
        (SWIN, 'WeightAnchor'),
    ],
    ids=lambda value: value['type'] if isinstance(value, dict) else value,
)
def test_they_train_predict_and_resume(backbone, memory):
    config = three_tasks(backbone)
    if memory:
        config['memory'] = dict(type=f'muscle_mm.{memory}')
    model = build(config)
    for task in model.tasks:
        before = {name: value.clone() for name, value in model.named_parameters()}
        log = train(model, [task])[0]
        assert log['loss'].isfinite()
        changed = {n for n, value in model.named_parameters() if not torch.equal(value, before[n])}
        assert any(name.startswith('backbone.') for name in changed)
        idle = [n for n in changed if not n.startswith(('backbone.', f'tasks.{task}.'))]
        assert idle == []
        if memory:
            model.memory.remember()
            assert train(model, [task])[0]['memory.loss'].isfinite()
            for _ in range(2):  # a teacher looks at every second step
                model.memory.after_step()

    restored = build(config)
    load_state_dict(restored, dict(get_state_dict(model)), strict=True)
    restored.load_state_dict(model.state_dict(), strict=True)
    for name, value in model.state_dict().items():
        assert torch.equal(restored.state_dict()[name], value), name
    for task, predicted in PREDICTED.items():
        first, second = (each.eval().val_step(batch(model, task)) for each in (model, restored))
        assert len(first) == 2
        for one, other in zip(first, second, strict=True):
            assert torch.equal(predicted(one), predicted(other))


@pytest.mark.parametrize('backbone', [CONVNEXT, SWIN], ids=['ConvNeXt', 'SwinTransformer'])
def test_norms_of_outputs_belong_to_the_tasks_that_have_them(backbone, tmp_path):
    model = build(three_tasks(backbone))
    train(model, model.tasks)
    shared, tasks = model.backbone, model.tasks
    for task in tasks.values():
        assert task.backbone.norm3.weight is shared.norm3.weight
    assert not hasattr(shared, 'norm0') and not hasattr(tasks.findings.backbone, 'norm0')
    assert not torch.equal(tasks.lung.backbone.norm0.weight, tasks.nodules.backbone.norm0.weight)

    # The backbone is what its config says, and with a task's own norms what the task needs.
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'step2.pth')
    plain = MODELS.build(backbone)
    BackboneInit(str(tmp_path / 'step2.pth'))(plain)
    assert all(torch.equal(v, shared.state_dict()[k]) for k, v in plain.state_dict().items())
    dense = MODELS.build({**backbone, **EVERY_OUTPUT})
    BackboneInit(str(tmp_path / 'step2.pth'), task='nodules')(dense)
    own = tasks.nodules.backbone.state_dict()
    assert all(torch.equal(value, own[name]) for name, value in dense.state_dict().items())
    with pytest.raises(UserError, match=r'names missing: norm0'):
        BackboneInit(str(tmp_path / 'step2.pth'))(dense)


def test_the_shared_backbone_may_list_all_outputs():
    config = three_tasks(SWIN)
    config['backbone'] = {**SWIN, **EVERY_OUTPUT}
    config['tasks']['findings']['backbone'] = dict(out_indices=(3,))
    config['memory'] = dict(type='muscle_mm.EMATeacher')
    model = build(config)
    assert model.tasks.lung.backbone.norm0.weight is model.backbone.norm0.weight
    assert not hasattr(model.tasks.findings.backbone, 'norm0')
    assert not [name for name in model.state_dict() if '.backbone.' in name]
    train(model, model.tasks)
    restored = build(config)
    load_state_dict(restored, dict(get_state_dict(model)), strict=True)
    assert torch.equal(restored.tasks.lung.backbone.norm0.weight, model.backbone.norm0.weight)


def test_a_teacher_remembers_the_norms_of_outputs():
    config = three_tasks(CONVNEXT)
    config['memory'] = dict(type='muscle_mm.EMATeacher', momentum=0.5)
    model = build(config)
    with torch.no_grad():
        model.tasks.lung.backbone.norm0.weight.fill_(3.0)
    model.memory.remember()
    teacher = model.memory.teachers.lung
    assert torch.equal(teacher.norm0.weight, torch.full((8,), 3.0))
    with torch.no_grad():
        model.tasks.lung.backbone.norm0.weight.fill_(5.0)
    model.memory.after_step()
    assert torch.equal(teacher.norm0.weight, torch.full((8,), 4.0))
    assert torch.equal(model.memory.teachers.nodules.norm0.weight, torch.ones(8))
    assert teacher.norm3.weight is model.memory.teacher.norm3.weight


@pytest.mark.parametrize('policy', ['frozen', 'per_task'])
def test_a_policy_does_nothing_without_batch_norm(policy):
    logs = []
    for batch_norm in ('shared', policy):
        model = build({**three_tasks(SWIN), 'batch_norm': batch_norm})
        torch.manual_seed(2)
        logs.append(train(model, ['findings', 'lung', 'findings'])[-1])
    assert str(logs[0]) == str(logs[1])


def test_adding_a_task_is_an_entry_of_the_config():
    config = three_tasks(RESNET)
    config['tasks'] |= dict(
        pneumonia=classifier(CHANNELS),
        fractures=dict(**retinanet(CHANNELS), backbone=EVERY_OUTPUT),
    )
    config['memory'] = dict(type='muscle_mm.FeatureDistillation')
    config['batch_norm'] = 'per_task'
    model = build(config)
    train(model, model.tasks)
    model.memory.remember()
    for task, log in zip(model.tasks, train(model, model.tasks), strict=True):
        assert log['loss'].isfinite() and 'memory.loss' in log
        assert len(model.eval().val_step(batch(model, task))) == 2
        model.train()
    assert len(model.tasks) == 5

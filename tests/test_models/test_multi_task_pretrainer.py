# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.optim import OptimWrapper
from mmengine.runner.checkpoint import get_state_dict, load_state_dict
from mmengine.structures import InstanceData, PixelData

from muscle_mm.registry import MODELS
from muscle_mm.utils.errors import UserError

mmseg = pytest.importorskip('mmseg')
mmdet = pytest.importorskip('mmdet')

CONFIG = Path(__file__).parents[2] / 'configs/_base_/models/resnet18.py'
TEACHERS = ['FeatureDistillation', 'EMATeacher']
MEMORIES = [*TEACHERS, 'WeightAnchor']


def tiny(config: Config, backbone: dict) -> dict:
    """The published task models with a sixteenth of the channels."""
    segmentation = ConfigDict(config.segmentation)
    segmentation.decode_head.update(in_channels=32, channels=8)
    segmentation.auxiliary_head.update(in_channels=16, channels=4)
    detection = ConfigDict(config.detection)
    detection.neck.update(in_channels=[4, 8, 16, 32], out_channels=8)
    detection.rpn_head.update(in_channels=8, feat_channels=8)
    detection.roi_head.bbox_roi_extractor.out_channels = 8
    detection.roi_head.bbox_head.update(in_channels=8, fc_out_channels=16)
    classification = ConfigDict(config.classification)
    classification.head.in_channels = 32
    return dict(
        type='muscle_mm.MultiTaskPretrainer',
        backbone=backbone,
        tasks=dict(
            pneumonia=classification,
            lung=dict(**segmentation, backbone=config.segmentation_geometry),
            tbx=dict(**detection, backbone=config.detection_geometry),
        ),
    )


@pytest.fixture
def config(backbone_config):
    return tiny(Config.fromfile(CONFIG), backbone_config)


@pytest.fixture
def model(config):
    torch.manual_seed(0)
    model = MODELS.build(config)
    model.init_weights()
    return model


def batch(task: str, size: int = 2) -> dict:
    """A grey batch as the toolbox's own collate function gives it."""
    from mmdet.structures import DetDataSample
    from mmpretrain.structures import DataSample
    from mmseg.structures import SegDataSample

    generator = torch.Generator().manual_seed(1)
    inputs = [
        torch.randint(0, 256, (1, 64, 64), dtype=torch.uint8, generator=generator)
        for _ in range(size)
    ]
    samples = []
    meta = dict(img_shape=(64, 64), ori_shape=(64, 64), img_id=0, scale_factor=(1.0, 1.0))
    for index in range(size):
        if task == 'pneumonia':
            sample = DataSample().set_gt_label(index % 2)
        elif task == 'lung':
            mask = torch.zeros(1, 64, 64, dtype=torch.long)
            mask[:, 16:48, 16:48] = 1
            sample = SegDataSample(metainfo=meta, gt_sem_seg=PixelData(data=mask))
        else:
            instances = InstanceData(
                bboxes=torch.tensor([[8.0, 8.0, 40.0, 40.0]]), labels=torch.tensor([index % 2])
            )
            sample = DetDataSample(metainfo=meta, gt_instances=instances)
            sample.ignored_instances = InstanceData(
                bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long)
            )
        samples.append(sample)
    return dict(task=[task] * size, inputs=inputs, data_samples=samples)


def optimizer_of(model, **options) -> OptimWrapper:
    return OptimWrapper(torch.optim.SGD(model.parameters(), **{'lr': 0.01, **options}))


@pytest.mark.parametrize('task', ['pneumonia', 'lung', 'tbx'])
@pytest.mark.parametrize('optimizer', ['SGD', 'AdamW'])
def test_a_step_trains_the_backbone_and_one_head(model, task, optimizer):
    options = dict(momentum=0.9) if optimizer == 'SGD' else {}
    optimizer = OptimWrapper(
        getattr(torch.optim, optimizer)(model.parameters(), lr=0.01, weight_decay=0.1, **options)
    )
    # An earlier step of every other task fills their momentum.
    for other in model.tasks:
        if other != task:
            model.train_step(batch(other), optimizer)
    before = {name: value.clone() for name, value in model.named_parameters()}
    log = model.train_step(batch(task), optimizer)
    assert log['loss'].item() > 0
    assert all(key == 'loss' or key.startswith(f'{task}.') for key in log)
    changed = {
        name for name, value in model.named_parameters() if not torch.equal(value, before[name])
    }
    assert any(name.startswith('backbone.') for name in changed)
    assert any(name.startswith(f'tasks.{task}.') for name in changed)
    idle = [name for name in changed if not name.startswith(('backbone.', f'tasks.{task}.'))]
    assert idle == []


def test_each_task_runs_the_shared_weights_in_its_own_geometry(model):
    images = torch.randn(1, 3, 64, 64)
    shapes = {
        name: [tuple(feature.shape[1:]) for feature in task.backbone(images)]
        for name, task in model.tasks.items()
    }
    assert shapes['pneumonia'] == [(32, 2, 2)]
    assert shapes['lung'] == [(16, 8, 8), (32, 8, 8)]
    assert shapes['tbx'] == [(4, 16, 16), (8, 8, 8), (16, 4, 4), (32, 2, 2)]
    with torch.no_grad():
        model.backbone.conv1.weight.fill_(0.5)
        model.backbone.bn1.running_mean.fill_(3.0)
    for task in model.tasks.values():
        assert task.backbone.conv1.weight is model.backbone.conv1.weight
        assert torch.equal(task.backbone.bn1.running_mean, torch.full((4,), 3.0))


def test_the_tie_survives_a_change_of_type(model):
    model.double()
    model.backbone.bn1.running_mean.fill_(3.0)
    for task in model.tasks.values():
        assert task.backbone.bn1.running_mean is model.backbone.bn1.running_mean
        assert task.backbone.bn1.running_mean.dtype == torch.float64


def test_shared_weights_are_saved_once_and_restored(model, config):
    model.train_step(batch('pneumonia'), optimizer_of(model))
    state = get_state_dict(model)
    assert not [name for name in state if '.backbone.' in name]
    assert 'backbone.conv1.weight' in state
    assert state.keys() == model.state_dict().keys()
    restored = MODELS.build(config)
    load_state_dict(restored, dict(state), strict=True)
    restored.load_state_dict(dict(state), strict=True)
    for name, value in restored.state_dict().items():
        assert torch.equal(value, state[name]), name


def test_heads_are_initialised_as_their_toolbox_says(model):
    """These heads ask for a normal distribution of 0.01; torch's default would be ten times it."""
    tasks = model.tasks
    for weight in (
        tasks.pneumonia.head.fc.weight,
        tasks.lung.decode_head.conv_seg.weight,
        tasks.tbx.rpn_head.rpn_cls.weight,
        tasks.tbx.roi_head.bbox_head.fc_cls.weight,
    ):
        assert weight.std().item() == pytest.approx(0.01, rel=0.35)


@pytest.mark.parametrize('task', ['pneumonia', 'lung', 'tbx'])
def test_prediction_is_the_tasks_own(model, task):
    model.eval()
    predictions = model.val_step(batch(task))
    assert len(predictions) == 2
    expected = {'pneumonia': 'pred_score', 'lung': 'pred_sem_seg', 'tbx': 'pred_instances'}
    assert all(expected[task] in sample for sample in predictions)


def test_a_tasks_losses_have_its_weight(config):
    models = []
    for weights in (None, dict(tbx=0.5, lung=3)):
        torch.manual_seed(0)
        memory = dict(type='muscle_mm.WeightAnchor', weight=1.0)
        models.append(MODELS.build({**config, 'loss_weights': weights, 'memory': memory}))
        models[-1].init_weights()
        models[-1].memory.remember()
        models[-1].memory.get_buffer_of('conv1.weight').add_(1)
    for task, weight in dict(pneumonia=1, lung=3, tbx=0.5).items():
        plain, scaled = ({}, {})
        for model, losses in zip(models, (plain, scaled), strict=True):
            torch.manual_seed(1)  # for the samples of boxes
            data = model.data_preprocessor(batch(task), True)
            values = model.parse_losses(model(**data, mode='loss'))[1]
            losses.update({key: value.item() for key, value in values.items()})
        assert plain.keys() == scaled.keys()
        for key, value in plain.items():
            own = key != 'loss' and key != 'memory.loss' and 'loss' in key
            if key != 'loss':
                assert scaled[key] == pytest.approx(value * (weight if own else 1), rel=1e-5), key
        # What is logged adds up to what is minimised.
        parts = [value for key, value in scaled.items() if 'loss' in key and key != 'loss']
        assert scaled['loss'] == pytest.approx(sum(parts), rel=1e-5)


@pytest.mark.parametrize('memory', MEMORIES)
def test_memory_pulls_the_backbone_back(config, memory):
    torch.manual_seed(0)
    model = MODELS.build({**config, 'memory': dict(type=f'muscle_mm.{memory}', weight=1.0)})
    model.init_weights()
    optimizer = optimizer_of(model)
    assert 'memory.loss' not in model.train_step(batch('pneumonia'), optimizer)
    model.memory.remember()
    model.eval()  # so that the batch statistics do not differ from the remembered ones
    data = model.data_preprocessor(batch('lung'), True)
    near = model(**data, mode='loss')['memory.loss']
    assert near.item() == pytest.approx(0, abs=1e-5)
    with torch.no_grad():
        for parameter in model.backbone.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    far = model(**data, mode='loss')['memory.loss']
    assert far.item() > 0.01
    far.backward()
    assert model.backbone.conv1.weight.grad.abs().sum() > 0
    assert all(p.grad is None for task in model.tasks.values() for p in head(task))


def head(task) -> list:
    return [p for name, p in task.named_parameters() if not name.startswith('backbone.')]


@pytest.mark.parametrize('memory', MEMORIES)
def test_memory_is_part_of_the_checkpoint(config, memory):
    config = {**config, 'memory': dict(type=f'muscle_mm.{memory}', weight=2.0)}
    model = MODELS.build(config)
    model.init_weights()
    model.memory.remember()
    with torch.no_grad():
        for parameter in model.backbone.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    restored = MODELS.build(config)
    load_state_dict(restored, dict(get_state_dict(model)), strict=True)
    assert restored.memory.ready
    data = batch('pneumonia')
    losses = [
        each.eval()(**each.data_preprocessor(data), mode='loss')['memory.loss']
        for each in (model, restored)
    ]
    assert losses[0].item() == losses[1].item() > 0


def test_ema_teacher_averages_weights_and_statistics(config):
    memory = dict(type='muscle_mm.EMATeacher', momentum=0.5)
    model = MODELS.build({**config, 'memory': memory})
    model.memory.remember()
    before = model.memory.teacher.bn1.running_mean.clone()
    with torch.no_grad():
        model.backbone.bn1.running_mean.fill_(2.0)
        model.backbone.bn1.weight.fill_(5.0)
    model.memory.after_step()
    assert torch.equal(model.memory.teacher.bn1.running_mean, (before + 2.0) / 2)
    assert torch.equal(model.memory.teacher.bn1.weight, torch.full((4,), 3.0))
    model.memory.remember()  # later visits' ends leave the average alone
    assert torch.equal(model.memory.teacher.bn1.weight, torch.full((4,), 3.0))


@pytest.mark.parametrize('memory', TEACHERS)
def test_a_teacher_looks_at_every_so_many_steps_and_counts_as_often(config, memory):
    losses = {}
    for interval in (1, 3):
        memory_config = dict(type=f'muscle_mm.{memory}', interval=interval)
        torch.manual_seed(0)
        model = MODELS.build({**config, 'memory': memory_config})
        model.init_weights()
        model.memory.remember()
        with torch.no_grad():
            model.backbone.conv1.weight.mul_(-1)
        data = model.eval().data_preprocessor(batch('pneumonia'), True)
        losses[interval] = []
        for _ in range(5):
            loss = model(**data, mode='loss').get('memory.loss')
            losses[interval].append(0 if loss is None else loss.item())
            model.memory.after_step()
    assert [loss > 0 for loss in losses[3]] == [True, False, False, True, False]
    assert losses[3][0] == pytest.approx(3 * losses[1][0])
    assert all(loss > 0 for loss in losses[1])


def test_a_restored_teacher_looks_at_the_same_steps(config):
    config = {**config, 'memory': dict(type='muscle_mm.FeatureDistillation', interval=2)}
    model = MODELS.build(config)
    model.memory.remember()
    model.memory.after_step()
    restored = MODELS.build(config)
    load_state_dict(restored, dict(get_state_dict(model)), strict=True)
    for each in (model, restored):
        assert not each.memory.ready
        each.memory.after_step()
        assert each.memory.ready


@pytest.mark.parametrize('memory', TEACHERS)
def test_an_unusable_interval_is_explained(config, memory):
    with pytest.raises(ValueError, match=r'memory\.interval=0: must be at least 1'):
        MODELS.build({**config, 'memory': dict(type=f'muscle_mm.{memory}', interval=0)})


def test_teacher_stays_in_evaluation_mode(config):
    model = MODELS.build({**config, 'memory': dict(type='muscle_mm.FeatureDistillation')}).train()
    assert not any(module.training for module in model.memory.teacher.modules())
    assert model.backbone.training


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(tasks={}), r'model\.tasks is empty'),
        (dict(tasks=dict(a=dict(type='FasterRCNN'))), r"model\.tasks\.a: type='FasterRCNN' does"),
        (dict(backbone=dict(type='ResNet')), r"model\.backbone: type='ResNet' does not say"),
        (
            dict(tasks=dict(bone_loss=dict(type='mmdet.FasterRCNN'))),
            r"'bone_loss' has 'loss' in its",
        ),
        (dict(loss_weights=dict(knee=1)), r"model\.loss_weights names \['knee'\], .*'lung'"),
        (dict(loss_weights=dict(lung=0)), r"model\.loss_weights\['lung'\]=0: must be positive"),
    ],
)
def test_unusable_configs_are_explained(config, change, message):
    with pytest.raises(UserError, match=message):
        MODELS.build({**config, **change})


def test_a_task_must_not_change_the_weights(config):
    config['tasks']['lung']['backbone'] = dict(depth=34)
    with pytest.raises(UserError, match=r'tasks\.lung\.backbone changes the weights'):
        MODELS.build(config)


def test_mixed_and_unknown_tasks_are_explained(model):
    mixed = batch('pneumonia')
    mixed['task'] = ['pneumonia', 'lung']
    with pytest.raises(UserError, match=r"several tasks \['lung', 'pneumonia'\]"):
        model.data_preprocessor(mixed, True)
    unknown = {**batch('pneumonia'), 'task': ['knee', 'knee']}
    with pytest.raises(UserError, match=r"task 'knee' that model\.tasks does not have"):
        model.data_preprocessor(unknown, True)


def test_negative_memory_weight_is_refused(config):
    with pytest.raises(ValueError, match=r'memory\.weight=-1'):
        MODELS.build({**config, 'memory': dict(type='muscle_mm.WeightAnchor', weight=-1)})


@pytest.mark.parametrize(
    'memory',
    [*({'type': name} for name in MEMORIES), dict(type='WeightAnchor', importance='fisher')],
)
def test_a_memory_can_begin_again(config, memory):
    memory = {**memory, 'type': f'muscle_mm.{memory["type"]}'}
    model = MODELS.build({**config, 'memory': memory})
    optimizer = optimizer_of(model)
    for _ in range(2):
        model.memory.remember()
        model.train_step(batch('pneumonia'), optimizer)
        model.memory.after_step()
    model.memory.forget()
    assert not model.memory.ready
    assert 'memory.loss' not in model.train_step(batch('pneumonia'), optimizer)
    fresh = MODELS.build({**config, 'memory': memory})
    load_state_dict(fresh, dict(get_state_dict(model)), strict=True)
    assert not fresh.memory.ready
    counted = [n for n, _ in fresh.memory.named_buffers() if n.startswith(('importance', 'steps'))]
    assert all(not fresh.memory.get_buffer(name).any() for name in counted if name != 'steps')


def test_the_distance_is_exact_under_bfloat16(config):
    torch.manual_seed(0)
    memory = dict(type='muscle_mm.FeatureDistillation', interval=1)
    model = MODELS.build({**config, 'memory': memory})
    model.init_weights()
    model.memory.remember()
    with torch.no_grad():
        weight = model.backbone.conv1.weight
        weight.add_(0.012 * weight.std() * torch.randn_like(weight))
    data = model.data_preprocessor(batch('pneumonia'), True)
    losses = []
    for enabled in (False, True):
        with torch.autocast('cpu', torch.bfloat16, enabled=enabled):
            losses.append(model(**data, mode='loss')['memory.loss'])
    assert losses[1].dtype == torch.float32
    assert losses[1].item() == pytest.approx(losses[0].item(), rel=0.6)
    assert 0 < losses[0].item() < 0.004  # less than the numbers of bfloat16 near 1 are apart

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from copy import deepcopy

import pytest
import torch
from mmengine.model import convert_sync_batchnorm, revert_sync_batchnorm
from mmengine.optim import OptimWrapper
from mmengine.runner.checkpoint import get_state_dict, load_state_dict

from muscle_mm.models.backbone_init import BackboneInit
from muscle_mm.models.batch_norm_statistics import batch_norms, mix_statistics
from muscle_mm.registry import MODELS
from muscle_mm.utils.errors import UserError

POLICIES = ['shared', 'frozen', 'per_task']
TASKS = ('chest', 'bone', 'hand')
TEACHERS = ['FeatureDistillation', 'EMATeacher']


@pytest.fixture
def build(backbone_config):
    """Build a model of three classifiers."""
    task = dict(
        type='mmpretrain.ImageClassifier',
        neck=dict(type='mmpretrain.GlobalAveragePooling'),
        head=dict(type='mmpretrain.LinearClsHead', num_classes=2, in_channels=32, topk=(1,)),
        data_preprocessor=dict(
            type='muscle_mm.GreyDataPreprocessor',
            preprocessor=dict(
                type='mmpretrain.ClsDataPreprocessor', mean=[128.0] * 3, std=[50.0] * 3
            ),
        ),
    )

    def build(batch_norm='shared', seed=0, memory=None, backbone=None):
        torch.manual_seed(seed)
        if memory is not None:
            memory = dict(type=f'muscle_mm.{memory}')
        model = MODELS.build(
            dict(
                type='muscle_mm.MultiTaskPretrainer',
                backbone=deepcopy(backbone or backbone_config),
                tasks={name: deepcopy(task) for name in TASKS},
                batch_norm=batch_norm,
                memory=memory,
            )
        )
        model.init_weights()
        return model.train()

    return build


def batch(task, seed=1, brightness=0, size=4):
    from mmpretrain.structures import DataSample

    generator = torch.Generator().manual_seed(seed)
    films = torch.randint(0, 100, (size, 1, 32, 32), dtype=torch.uint8, generator=generator)
    samples = [DataSample().set_gt_label(index % 2) for index in range(size)]
    return dict(task=[task] * size, inputs=list(films + brightness), data_samples=samples)


def train(model, *tasks, lr=0.01):
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=lr))
    for seed, task in enumerate(tasks):
        model.train_step(batch(task, seed, 100 * (task == 'bone')), optimizer)


def statistics(backbone):
    return {
        f'{path}.{name}': layer.get_buffer(name).clone()
        for path, layer in batch_norms(backbone).items()
        for name in ('running_mean', 'running_var', 'num_batches_tracked')
    }


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def test_shared_statistics_follow_every_task(build):
    model = build('shared')
    train(model, 'chest', 'bone')
    assert int(model.backbone.bn1.num_batches_tracked) == 2
    for task in model.tasks.values():
        assert equal(statistics(task.backbone), statistics(model.backbone))


def test_frozen_statistics_stay_and_affine_weights_train(build):
    model = build('frozen')
    before, weight = statistics(model.backbone), model.backbone.bn1.weight.clone()
    train(model, 'chest', 'bone')
    assert equal(statistics(model.backbone), before)
    assert not torch.equal(model.backbone.bn1.weight, weight)
    # The backbone computes the same in training and in evaluation.
    images = torch.randn(2, 3, 32, 32)
    backbone = model.tasks.chest.backbone
    training = backbone(images)[-1]
    model.eval()
    assert torch.equal(training, backbone(images)[-1])


def test_a_tasks_statistics_are_moved_by_its_own_batches_alone(build):
    model = build('per_task')
    start = statistics(model.backbone)
    train(model, 'chest', 'chest', 'bone')
    own = {name: statistics(task.backbone) for name, task in model.tasks.items()}
    counts = {name: int(each['bn1.num_batches_tracked']) for name, each in own.items()}
    assert counts == dict(chest=2, bone=1, hand=0)
    assert equal(own['hand'], start)
    assert own['bone']['bn1.running_mean'].sum() != own['chest']['bn1.running_mean'].sum()
    for task in model.tasks.values():
        assert task.backbone.conv1.weight is model.backbone.conv1.weight
        assert task.backbone.bn1.weight is model.backbone.bn1.weight


def test_the_backbone_has_the_moments_of_the_equal_mixture(build):
    model = build('per_task')
    generator = torch.Generator().manual_seed(0)
    values = [10 * index + torch.randn(50, 4, generator=generator) for index in range(3)]
    backbones = [task.backbone for task in model.tasks.values()]
    for count, (backbone, own) in enumerate(zip(backbones, values, strict=True)):
        backbone.bn1.running_mean.copy_(own.mean(dim=0))
        backbone.bn1.running_var.copy_(own.var(dim=0, unbiased=False))
        backbone.bn1.num_batches_tracked.fill_(count)
    mix_statistics(model.backbone, backbones)
    together = torch.cat(values)
    assert torch.allclose(model.backbone.bn1.running_mean, together.mean(dim=0), atol=1e-5)
    variance = together.var(dim=0, unbiased=False)
    assert torch.allclose(model.backbone.bn1.running_var, variance, rtol=1e-5)
    assert int(model.backbone.bn1.num_batches_tracked) == 2


def test_each_step_keeps_the_mixture_up_to_date(build):
    model = build('per_task')
    train(model, 'chest', 'bone')
    means = [task.backbone.bn1.running_mean for task in model.tasks.values()]
    expected = torch.stack(means).mean(dim=0)
    assert torch.allclose(model.backbone.bn1.running_mean, expected, atol=1e-6)
    before = statistics(model.backbone)
    model.eval().val_step(batch('hand'))
    assert equal(statistics(model.backbone), before)


def test_a_task_predicts_with_its_own_statistics(build):
    model = build('per_task').eval()
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        model.tasks.bone.backbone.bn1.running_mean.add_(1)
    chest, bone, hand = (model.tasks[task].backbone(images)[-1] for task in TASKS)
    assert torch.equal(chest, hand) and not torch.equal(chest, bone)


@pytest.mark.parametrize('policy', POLICIES)
@pytest.mark.parametrize('memory', [None, *TEACHERS])
def test_a_checkpoint_restores_everything(build, policy, memory):
    model = build(policy, memory=memory)
    train(model, 'chest', 'bone')
    if memory:
        model.memory.remember()
        train(model, 'hand')
    state = get_state_dict(model)
    assert state.keys() == model.state_dict().keys()
    own = {name for name in state if name.startswith('tasks.') and '.backbone.' in name}
    assert len(own) == (3 * len(statistics(model.backbone)) if policy == 'per_task' else 0)
    restored = build(policy, seed=5, memory=memory)
    restored.load_state_dict(dict(state), strict=True)
    load_state_dict(restored, dict(state), strict=True)
    assert equal(dict(restored.state_dict()), dict(state))
    for name in TASKS:
        tasks = (restored.tasks[name], model.tasks[name])
        assert equal(*(statistics(task.backbone) for task in tasks))


@pytest.mark.parametrize('policy', POLICIES)
def test_the_saved_backbone_is_plain_and_complete(build, backbone_config, policy):
    model = build(policy)
    train(model, 'chest', 'bone')
    state = model.state_dict()
    plain = MODELS.build(backbone_config)
    start = 'backbone.'
    weights = {key[len(start) :]: value for key, value in state.items() if key.startswith(start)}
    plain.load_state_dict(weights, strict=True)
    assert equal(dict(plain.state_dict()), dict(model.backbone.state_dict()))


@pytest.mark.parametrize('before', POLICIES)
@pytest.mark.parametrize('after', POLICIES)
def test_a_checkpoint_of_another_policy_loads(build, before, after):
    source, target = build(before), build(after, seed=5)
    train(source, 'chest', 'bone')
    load_state_dict(target, dict(source.state_dict()), strict=True)
    for name in TASKS:
        expected = source.tasks[name].backbone if before == after else source.backbone
        assert equal(statistics(target.tasks[name].backbone), statistics(expected))
    assert equal(statistics(target.backbone), statistics(source.backbone))


def test_weights_of_step_1_fill_all_tasks(build, backbone_config, tmp_path):
    source = build()
    train(source, 'bone')
    weights = {f'backbone.{key}': value for key, value in source.backbone.state_dict().items()}
    torch.save(dict(state_dict=weights), tmp_path / 'md_moco.pth')
    backbone_config['init_cfg']['checkpoint'] = str(tmp_path / 'md_moco.pth')
    model = build('per_task', seed=5, backbone=backbone_config)
    for backbone in (model.backbone, *(task.backbone for task in model.tasks.values())):
        assert equal(statistics(backbone), statistics(source.backbone))
    # The mixture of equal statistics is those statistics, to the bit.
    mix_statistics(model.backbone, [task.backbone for task in model.tasks.values()])
    assert equal(statistics(model.backbone), statistics(source.backbone))


def test_a_backbone_can_start_with_a_tasks_statistics(build, backbone_config, tmp_path):
    model = build('per_task')
    train(model, 'chest', 'bone')
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'step2.pth')
    for task, expected in ((None, model), ('bone', model.tasks.bone)):
        plain = MODELS.build(backbone_config)
        BackboneInit(str(tmp_path / 'step2.pth'), task=task)(plain)
        assert equal(statistics(plain), statistics(expected.backbone))
        assert torch.equal(plain.conv1.weight, model.backbone.conv1.weight)
    message = r"that only the task 'foot' has.*It has some of bone, chest, hand\."
    with pytest.raises(UserError, match=message):
        BackboneInit(str(tmp_path / 'step2.pth'), task='foot')(plain)
    torch.save(dict(state_dict=build().state_dict()), tmp_path / 'step2.pth')
    with pytest.raises(UserError, match=r'It has none\.'):
        BackboneInit(str(tmp_path / 'step2.pth'), task='bone')(plain)


@pytest.mark.parametrize('policy', POLICIES)
@pytest.mark.parametrize('memory', TEACHERS)
def test_equal_weights_have_no_distance_on_any_tasks_films(build, policy, memory):
    model = build(policy, memory=memory)
    train(model, 'chest', 'bone')
    model.memory.remember()
    for task in TASKS:
        data = model.data_preprocessor(batch(task, brightness=50), True)
        loss = model(**data, mode='loss')['memory.loss']
        assert loss.item() == pytest.approx(0, abs=1e-6), task


@pytest.mark.parametrize('policy', POLICIES)
def test_a_batch_leaves_the_teacher_as_it_is(build, policy):
    model = build(policy, memory='FeatureDistillation')
    train(model, 'chest')
    model.memory.remember()
    before = {
        name: value
        for name, value in statistics(model.memory.teacher).items()
        if not name.endswith('num_batches_tracked')
    }
    assert equal(before, {k: v for k, v in statistics(model.backbone).items() if k in before})
    train(model, 'bone', 'hand')
    after = statistics(model.memory.teacher)
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert not any(module.training for module in model.memory.teachers.modules())


@pytest.mark.parametrize('policy', POLICIES)
def test_the_tie_survives_the_conversion_to_synchronised_batch_norm(build, policy):
    model = build(policy, memory='EMATeacher')
    train(model, 'chest', 'bone')
    model.memory.remember()
    kept = {key: value.double() for key, value in model.state_dict().items()}
    model = convert_sync_batchnorm(model, 'torch').double()
    assert not [m for m in model.backbone.modules() if type(m) is torch.nn.BatchNorm2d]
    assert model.state_dict().keys() == kept.keys()
    for tied, shared in [
        *((task.backbone, model.backbone) for task in model.tasks.values()),
        *((teacher, model.memory.teacher) for teacher in model.memory.teachers.values()),
    ]:
        assert tied.bn1.weight is shared.bn1.weight
        own = policy == 'per_task' and shared is model.backbone
        assert (tied.bn1.running_mean is shared.bn1.running_mean) != own
        assert tied.bn1.running_mean.dtype == torch.float64
    # torch's own refuses to train without a GPU; turned back, the layers are replaced once more.
    model = revert_sync_batchnorm(model).float().train()
    train(model, 'bone', 'bone')
    bone, chest = model.tasks.bone.backbone.bn1, model.tasks.chest.backbone.bn1
    assert torch.equal(bone.running_mean, chest.running_mean) == (policy != 'per_task')
    assert bone.weight is chest.weight is model.backbone.bn1.weight
    changed = not torch.equal(model.backbone.bn1.running_mean, kept['backbone.bn1.running_mean'])
    assert changed == (policy != 'frozen')


@pytest.mark.parametrize('policy', POLICIES)
def test_a_copy_of_the_model_is_tied_in_itself(build, policy):
    model = build(policy)
    train(model, 'chest')
    copy = deepcopy(model)
    before = statistics(model.backbone)
    train(copy, 'bone')
    assert equal(statistics(model.backbone), before)
    assert copy.tasks.bone.backbone.conv1.weight is copy.backbone.conv1.weight


def test_another_policy_is_refused(build):
    message = r"model\.batch_norm='split': must be one of 'shared', 'frozen', 'per_task'"
    with pytest.raises(UserError, match=message):
        build('split')

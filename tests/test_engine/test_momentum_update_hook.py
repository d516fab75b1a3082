# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json
import math

import pytest
import torch
from mmengine.dataset import BaseDataset
from mmengine.runner import Runner

from muscle_mm.engine import MomentumUpdateHook
from muscle_mm.registry import DATASETS
from muscle_mm.utils.errors import UserError

pytest.importorskip('mmpretrain')


@DATASETS.register_module()
class RandomViews(BaseDataset):
    """Two random views of a film."""

    def __init__(self, sets='random'):
        self.sets = sets.split()
        super().__init__(serialize_data=False)

    def load_data_list(self):
        return [dict() for _ in range(12)]

    def prepare_data(self, idx):
        generator = torch.Generator().manual_seed(idx)
        shape = (1, 32, 32)
        views = [
            torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator) for _ in range(2)
        ]
        return dict(
            inputs=views, dataset=self.sets[idx // 2 % len(self.sets)], img_path=f'{idx}.png'
        )


def runner_of(
    work_dir,
    accumulative_counts=1,
    hooks=(dict(type='muscle_mm.MomentumUpdateHook'),),
    model=None,
    max_epochs=1,
    default_hooks=dict(checkpoint=None, logger=None),  # noqa: B006
    sets='random',
    shuffle=True,
    bn_splits=1,
    queue_len=50,
    **options,
):
    return Runner(
        model=model
        or dict(
            type='muscle_mm.MDMoCo',
            backbone=dict(
                type='mmpretrain.ResNet',
                depth=18,
                base_channels=4,
                stem_channels=4,
                out_indices=(3,),
            ),
            neck=dict(type='mmpretrain.MoCoV2Neck', in_channels=32, hid_channels=8, out_channels=4),
            queue_len=queue_len,
            feature_dim=4,
            momentum=0.5,
            bn_splits=bn_splits,
            data_preprocessor=dict(type='muscle_mm.ViewsDataPreprocessor', mean=128, std=50),
        ),
        train_dataloader=dict(
            batch_size=2 * bn_splits,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=shuffle),
            dataset=dict(type='muscle_mm.RandomViews', sets=sets),
        ),
        optim_wrapper=dict(
            optimizer=dict(type='SGD', lr=0.1), accumulative_counts=accumulative_counts
        ),
        train_cfg=dict(by_epoch=True, max_epochs=max_epochs),
        custom_hooks=list(hooks),
        default_hooks=dict(default_hooks),
        **options,
        randomness=dict(seed=0),
        default_scope='mmpretrain',
        experiment_name=str(work_dir),
        log_level='ERROR',
        work_dir=str(work_dir),
    )


@pytest.mark.parametrize(('accumulative_counts', 'updates'), [(1, 6), (2, 3), (4, 2)])
def test_updates_once_for_each_optimizer_step(tmp_path, monkeypatch, accumulative_counts, updates):
    """Six iterations; with four to a step, the last two make a step of their own."""
    runner = runner_of(tmp_path, accumulative_counts)
    calls = []
    update = runner.model.update
    monkeypatch.setattr(runner.model, 'update', lambda: (calls.append(runner.iter), update()))
    runner.train()
    assert len(calls) == updates
    assert int(runner.model.queue.position) == 12  # no key is lost


def test_sets_that_are_not_in_every_batch_are_logged(tmp_path, monkeypatch):
    monkeypatch.setattr('muscle_mm.models.dataset_log.LOG_INTERVAL', 1)
    hooks = dict(checkpoint=None, logger=dict(type='LoggerHook', interval=1))
    runner = runner_of(tmp_path, sets='mura tbx', shuffle=False, default_hooks=hooks)
    runner.train()
    (log,) = tmp_path.glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(lines) == 6
    # The first batch holds mura alone, and then there is nothing to tell apart.
    assert 'loss/mura' not in lines[0]
    assert 'loss/tbx' in lines[1] and 'loss/mura' not in lines[1]
    assert all('contrast_accuracy/mura' in line for line in lines[2:])
    counts = [
        len(runner.message_hub.get_scalar(f'train/loss/{name}').data[0]) for name in ('mura', 'tbx')
    ]
    assert counts == [2, 3]


@pytest.mark.parametrize(('queue_len', 'told'), [(12, False), (13, True)])
def test_a_queue_longer_than_an_epoch_is_told(tmp_path, queue_len, told):
    runner = runner_of(tmp_path, queue_len=queue_len)
    warnings = []
    runner.logger.warning = warnings.append
    runner.train()
    text = f'model.queue_len={queue_len} is more than the 12 films:'
    assert any(text in warning for warning in warnings) == told


def test_momentum_rises_to_its_end_along_a_cosine(tmp_path, monkeypatch):
    hook = dict(type='muscle_mm.MomentumUpdateHook', end_momentum=1.0)
    runner = runner_of(tmp_path, hooks=(hook,))
    used = []
    update = runner.model.update
    monkeypatch.setattr(runner.model, 'update', lambda m: (used.append(m), update(m)))
    runner.train()
    shares = [(1 - math.cos(math.pi * step / 6)) / 2 for step in range(1, 7)]
    assert used == pytest.approx([0.5 + 0.5 * share for share in shares])
    logged, _ = runner.message_hub.get_scalar('train/encoder_momentum').data
    assert logged.tolist() == used


def test_momentum_out_of_range():
    with pytest.raises(ValueError, match='end_momentum=2'):
        MomentumUpdateHook(end_momentum=2)


def test_a_resumed_run_ends_as_one_that_never_stopped(tmp_path):
    """Weights, momentum weights, buffers and the queue, bit for bit."""
    checkpoints = dict(checkpoint=dict(type='CheckpointHook', interval=1), logger=None)
    # With parts of the batch, keys are shuffled over them: that must go on, too.
    whole = runner_of(tmp_path / 'whole', max_epochs=2, default_hooks=checkpoints, bn_splits=2)
    whole.train()
    rest = runner_of(
        tmp_path / 'rest',
        max_epochs=2,
        default_hooks=checkpoints,
        bn_splits=2,
        resume=True,
        load_from=str(tmp_path / 'whole' / 'epoch_1.pth'),
    )
    rest.train()
    expected = whole.model.state_dict()
    assert int(expected['queue.position']) == 24
    for name, value in rest.model.state_dict().items():
        assert torch.equal(value, expected[name]), name


def test_without_the_hook_training_does_not_start(tmp_path):
    with pytest.raises(UserError, match='Add custom_hooks='):
        runner_of(tmp_path, hooks=()).train()


def test_another_model_is_named(tmp_path):
    model = dict(type='mmpretrain.ImageClassifier', backbone=dict(type='ResNet', depth=18))
    with pytest.raises(UserError, match=r'MDMoCo.* got ImageClassifier'):
        runner_of(tmp_path, model=model).train()


@pytest.fixture
def trained(tmp_path):
    """A runner that has trained an epoch, and its checkpoint."""
    runner = runner_of(tmp_path / 'first', default_hooks=dict(logger=None))
    runner.train()
    return runner.model.state_dict(), tmp_path / 'first' / 'epoch_1.pth'


def test_a_checkpoint_that_fits_is_loaded_and_resumed(tmp_path, trained):
    weights, path = trained
    # As a distributed training of other programs names them.
    torch.save({f'module.{name}': value for name, value in weights.items()}, tmp_path / 'ddp.pth')
    for number, options in enumerate(
        (
            dict(load_from=str(path)),
            dict(load_from=str(path), resume=True),
            dict(load_from=str(tmp_path / 'ddp.pth')),
        )
    ):
        runner = runner_of(tmp_path / f'again{number}', **options)
        runner.load_or_resume()
        loaded = runner.model.state_dict()
        assert all(torch.equal(loaded[name], value) for name, value in weights.items())


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (
            lambda weights: weights.update({'queue.keys': torch.zeros(30, 4)}),
            r"'queue.keys' has shape \(30, 4\), .* \(50, 4\)\. Set model.queue_len=30\.",
        ),
        (
            lambda weights: weights.update({'queue.keys': torch.zeros(50, 8)}),
            'Set model.feature_dim=8, and out_channels',
        ),
        (
            lambda weights: weights.update({'momentum_neck.mlp.2.bias': torch.zeros(9)}),
            "'momentum_neck.mlp.2.bias' has shape .* Set the options of model.neck",
        ),
        (
            lambda weights: weights.pop('momentum_backbone.conv1.weight'),
            "has no 'momentum_backbone.conv1.weight'.*init_cfg.checkpoint=PATH",
        ),
        (
            lambda weights: weights.update({'head.fc.bias': torch.zeros(2)}),
            "a key that MDMoCo has not: 'head.fc.bias'",
        ),
    ],
)
@pytest.mark.parametrize('resume', [False, True])
def test_a_checkpoint_that_does_not_fit_is_refused(tmp_path, trained, change, message, resume):
    path = trained[1]
    checkpoint = torch.load(path, weights_only=False)
    change(checkpoint['state_dict'])
    torch.save(checkpoint, path)
    runner = runner_of(tmp_path / 'again', load_from=str(path), resume=resume)
    with pytest.raises(UserError, match=message):
        runner.load_or_resume()

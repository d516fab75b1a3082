# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook

EPOCHS = 4


class Stopped(Exception):
    """Stands for a kill: what is on disk is what a kill would leave."""


class StopHook(Hook):
    """Stops in the training of an epoch, or between its checkpoint and the end of its validation.

    Epochs count from 1.
    """

    priority = 'HIGHEST'

    def __init__(self, point, epoch):
        self.point, self.epoch = point, epoch

    def after_train_iter(self, runner, batch_idx, *_, **__):
        if (self.point, self.epoch, batch_idx) == ('training', runner.epoch + 1, 1):
            raise Stopped

    def after_val_iter(self, runner, *_, **__):
        if (self.point, self.epoch) == ('validation', runner.epoch):
            raise Stopped


class NoiseHook(Hook):
    """Adds noise from the global generator, with which the toolboxes augment."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        for film in data_batch['inputs']:
            film += torch.from_numpy(np.random.randint(0, 50, film.shape)).to(torch.uint8)


@pytest.fixture
def train(train_and_test, tmp_path):
    def run(name, *hooks, val_interval=1, **changes):
        work_dir = tmp_path / name
        train_and_test(
            work_dir=str(work_dir),
            experiment_name=f'{tmp_path.name}-{name}-{len(list(work_dir.glob("*")))}',
            train_cfg=dict(by_epoch=True, max_epochs=EPOCHS, val_interval=val_interval),
            custom_hooks=[
                dict(type='muscle_mm.ExactResumeHook'),
                dict(type='muscle_mm.TestAfterTrainHook'),
                NoiseHook(),
                *hooks,
            ],
            default_hooks=dict(
                checkpoint=dict(
                    type='muscle_mm.AtomicCheckpointHook',
                    interval=1,
                    save_best='binary/auc',
                    rule='greater',
                )
            ),
            **changes,
        )
        return work_dir

    return run


def weights(work_dir):
    path = work_dir / f'epoch_{EPOCHS}.pth'
    return torch.load(path, weights_only=False)['state_dict']


def result_of(work_dir):
    result = json.loads((work_dir / 'test_metrics.json').read_text())
    return result['checkpoint'].rpartition('/')[2], result['metrics']


@pytest.mark.parametrize('val_interval', [1, 3])
def test_stopped_several_times_it_ends_with_the_same_bits(train, val_interval):
    whole = train('whole', val_interval=val_interval)
    points = [('training', 2), ('validation', 3), ('training', 4), ('validation', EPOCHS)]
    for point in points:
        with pytest.raises(Stopped):
            train('stopped', StopHook(*point), val_interval=val_interval, resume=True)
        # A process that starts again has other random numbers.
        np.random.seed(len(point))
    stopped = train('stopped', val_interval=val_interval, resume=True)
    assert all(torch.equal(value, weights(whole)[key]) for key, value in weights(stopped).items())
    assert result_of(stopped) == result_of(whole)


def test_epochs_and_seeds_have_noise_of_their_own(train):
    first, other = train('first'), train('other', randomness=dict(seed=1))
    assert not torch.equal(
        weights(first)['backbone.conv1.weight'], weights(other)['backbone.conv1.weight']
    )

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from copy import deepcopy

import pytest
import torch
from torch import nn

from muscle_mm.models.split_batch_norm import SplitBatchNorm, split_batch_norm


@pytest.mark.parametrize(
    ('batch_size', 'splits', 'sizes'),
    [(8, 2, [4, 4]), (7, 3, [3, 2, 2]), (5, 8, [3, 2]), (3, 4, [3]), (2, 1, [2])],
)
@pytest.mark.parametrize('shape', [(6,), (6, 5, 5)])
def test_each_part_is_normalised_as_a_batch_of_its_own(batch_size, splits, sizes, shape):
    torch.manual_seed(0)
    batch = torch.randn(batch_size, *shape, requires_grad=True)
    norm = SplitBatchNorm(6, splits)
    nn.init.uniform_(norm.weight)
    plain = nn.BatchNorm1d(6) if len(shape) == 1 else nn.BatchNorm2d(6)
    plain.weight = norm.weight
    expected = torch.cat([plain(part) for part in batch.split(sizes)])
    weights = torch.randn_like(expected)
    (expected_gradient,) = torch.autograd.grad((expected * weights).sum(), batch)
    normalised = norm(batch)
    (gradient,) = torch.autograd.grad((normalised * weights).sum(), batch)
    assert torch.allclose(normalised, expected, atol=1e-6)
    assert torch.allclose(gradient, expected_gradient, atol=1e-5)


def test_running_statistics_move_by_one_step_and_serve_in_evaluation():
    norm = SplitBatchNorm(3, 4)
    batch = torch.full((8, 3, 4, 4), 2.0)
    norm(batch)
    assert torch.allclose(norm.running_mean, torch.full((3,), 0.2))
    assert torch.allclose(norm.running_var, torch.full((3,), 0.9))
    assert int(norm.num_batches_tracked) == 1
    plain = nn.BatchNorm2d(3)
    plain.load_state_dict(norm.state_dict())
    assert torch.equal(norm.eval()(batch), plain.eval()(batch))


def test_keeps_channels_last():
    batch = torch.randn(6, 4, 5, 5).contiguous(memory_format=torch.channels_last)
    assert SplitBatchNorm(4, 3)(batch).is_contiguous(memory_format=torch.channels_last)


def test_conversion_keeps_names_parameters_and_modes():
    module = nn.Sequential(
        nn.Conv2d(3, 4, 1),
        nn.BatchNorm2d(4, eps=0.1, momentum=0.3),
        nn.Sequential(nn.BatchNorm1d(4, affine=False).eval(), nn.SyncBatchNorm(4)),
    )
    before = deepcopy(module.state_dict())
    parameters = list(module.parameters())
    assert split_batch_norm(module, 2) is module
    assert isinstance(module[1], SplitBatchNorm) and isinstance(module[2][0], SplitBatchNorm)
    assert isinstance(module[2][1], nn.SyncBatchNorm)
    assert (module[1].eps, module[1].momentum, module[2][0].training) == (0.1, 0.3, False)
    assert all(own is old for own, old in zip(module.parameters(), parameters, strict=True))
    assert module.state_dict().keys() == before.keys()


def test_splits_must_be_positive():
    with pytest.raises(ValueError, match='splits=0'):
        SplitBatchNorm(3, 0)


def test_momentum_must_be_a_number():
    with pytest.raises(ValueError, match='momentum=None'):
        split_batch_norm(nn.BatchNorm2d(3, momentum=None), 2)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""MDMoCo step by step against algorithm 1 of the MoCo paper (arXiv 1911.05722), written out."""

from copy import deepcopy

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn
from torch.nn.functional import normalize

from muscle_mm.registry import MODELS

LEARNING_RATE, MOMENTUM, TEMPERATURE, QUEUE_LEN = 0.03, 0.7, 0.3, 21


class Encoder(nn.Module):
    def __init__(self, backbone, neck):
        super().__init__()
        self.backbone, self.neck = deepcopy(backbone), deepcopy(neck)

    def forward(self, views):
        return normalize(self.neck(self.backbone(views))[0], dim=1)


class AlgorithmOne:
    """Two encoders, and a queue that is a list of keys, oldest first."""

    def __init__(self, model):
        self.f_q = Encoder(model.backbone, model.neck)
        self.f_k = Encoder(model.momentum_backbone, model.momentum_neck)
        self.queue = list(model.queue.keys.clone())
        self.optimizer = torch.optim.SGD(self.f_q.parameters(), LEARNING_RATE)

    def step(self, micro_batches):
        """One optimizer step; with several micro-batches their gradients are averaged."""
        losses, new_keys = [], []
        for x_q, x_k in micro_batches:
            q, k = self.f_q(x_q), self.f_k(x_k).detach()
            count, dimension = q.shape
            l_pos = torch.bmm(q.view(count, 1, dimension), k.view(count, dimension, 1)).view(-1, 1)
            l_neg = torch.mm(q, torch.stack(self.queue).t())
            logits = torch.cat([l_pos, l_neg], dim=1)
            loss = nn.CrossEntropyLoss()(logits / TEMPERATURE, torch.zeros(count).long())
            (loss / len(micro_batches)).backward()
            losses.append(loss.item())
            new_keys += list(k)
        self.gradients = [parameter.grad.clone() for parameter in self.f_q.parameters()]
        self.optimizer.step()
        self.optimizer.zero_grad()
        with torch.no_grad():
            for slow, fast in zip(self.f_k.parameters(), self.f_q.parameters(), strict=True):
                slow.copy_(MOMENTUM * slow + (1 - MOMENTUM) * fast)
        self.queue = (self.queue + new_keys)[-QUEUE_LEN:]
        return losses


@pytest.fixture
def model(backbone_config):
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='muscle_mm.MDMoCo',
            backbone=dict(backbone_config, zero_init_residual=False),
            neck=dict(
                type='mmpretrain.MoCoV2Neck', in_channels=32, hid_channels=16, out_channels=8
            ),
            queue_len=QUEUE_LEN,
            feature_dim=8,
            momentum=MOMENTUM,
            temperature=TEMPERATURE,
            bn_splits=1,
        )
    )
    model.init_weights()
    model.updated_by_hook = True
    return model.train()


@pytest.mark.parametrize('accumulative_counts', [1, 2])
def test_loss_gradients_queue_and_momentum_weights_over_several_steps(model, accumulative_counts):
    reference = AlgorithmOne(model)
    optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE)
    wrapper = OptimWrapper(optimizer, accumulative_counts=accumulative_counts)
    gradients = []

    def remember_gradients(*_):
        parameters = [*model.backbone.parameters(), *model.neck.parameters()]
        gradients[:] = [parameter.grad.clone() for parameter in parameters]

    optimizer.register_step_pre_hook(remember_gradients)
    generator = torch.Generator().manual_seed(1)
    # The last batch is smaller, and the queue's length is no multiple of either.
    for batch_size in (8, 8, 8, 8, 5):
        micro_batches = [
            [torch.randn(batch_size, 3, 64, 64, generator=generator) for _ in range(2)]
            for _ in range(accumulative_counts)
        ]
        losses = []
        for views in micro_batches:
            losses.append(model.train_step(dict(inputs=views), wrapper)['loss'].item())
            if wrapper.should_update():
                model.update()
        assert losses == pytest.approx(reference.step(micro_batches), rel=1e-5)
        for own, expected in zip(gradients, reference.gradients, strict=True):
            assert torch.allclose(own, expected, rtol=1e-3, atol=1e-5)
        oldest_first = model.queue.keys.roll(-int(model.queue.position), dims=0)
        assert torch.allclose(oldest_first, torch.stack(reference.queue), atol=1e-5)
        for own, expected in (
            (model.backbone, reference.f_q.backbone),
            (model.neck, reference.f_q.neck),
            (model.momentum_backbone, reference.f_k.backbone),
            (model.momentum_neck, reference.f_k.neck),
        ):
            # Buffers, too: each encoder keeps the statistics of what itself has seen.
            for name, value in own.state_dict().items():
                assert torch.allclose(value, expected.state_dict()[name], atol=1e-5), name
    different = model.backbone.bn1.running_mean - model.momentum_backbone.bn1.running_mean
    assert different.abs().max() > 1e-3

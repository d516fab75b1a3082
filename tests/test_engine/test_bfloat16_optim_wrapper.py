# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from mmengine.model import BaseModel
from mmengine.optim import build_optim_wrapper

import muscle_mm  # noqa: F401
from muscle_mm.utils.errors import UserError


class Line(BaseModel):
    def __init__(self):
        super().__init__()
        self.line = torch.nn.Linear(4, 4)

    def forward(self, inputs, mode):
        output = self.line(inputs)
        self.seen = output.dtype
        return {'loss': output.float().square().mean()}


def test_forward_in_bfloat16_and_weights_in_float32():
    torch.manual_seed(0)
    model = Line()
    wrapper = build_optim_wrapper(
        model,
        dict(
            type='muscle_mm.BFloat16OptimWrapper',
            optimizer=dict(type='SGD', lr=0.1),
            accumulative_counts=2,
        ),
    )
    before = model.line.weight.detach().clone()
    data = dict(inputs=torch.ones(2, 4))
    assert model.train_step(data, wrapper)['loss'].dtype == torch.float32
    assert model.seen == torch.bfloat16
    assert model.line.weight.grad.dtype == torch.float32
    assert torch.equal(model.line.weight, before)
    model.train_step(data, wrapper)
    assert not torch.equal(model.line.weight, before)
    assert not torch.is_autocast_enabled('cpu')


def test_detectors_are_refused(detector_head):
    model = Line()
    model.head = detector_head
    wrapper = build_optim_wrapper(
        model, dict(type='muscle_mm.BFloat16OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
    )
    with pytest.raises(UserError, match=r'RPNHead of mmdet.*AmpOptimWrapper \(float16'):
        model.train_step(dict(inputs=torch.ones(2, 4)), wrapper)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import os

import pytest
from torch import nn

from muscle_mm.pipeline.devices import (
    hide_gpus_without_operators,
    require_gpu_operators,
    visible_gpus,
)
from muscle_mm.utils.errors import UserError

operators = pytest.importorskip('mmcv.ops')


@pytest.mark.parametrize(
    ('gpu', 'compiled_for', 'hidden'),
    [(False, 'not available', False), (True, '12.4', False), (True, 'not available', True)],
)
def test_gpus_are_hidden_where_mmcv_cannot_use_them(monkeypatch, gpu, compiled_for, hidden):
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '0')
    monkeypatch.setattr('torch.cuda.is_available', lambda: gpu)
    monkeypatch.setattr(operators, 'get_compiling_cuda_version', lambda: compiled_for)
    assert hide_gpus_without_operators() is hidden
    assert os.environ['CUDA_VISIBLE_DEVICES'] == ('' if hidden else '0')


@pytest.mark.parametrize(
    ('named', 'count', 'gpus'),
    [(None, 2, ['0', '1']), ('3,5', 2, ['3', '5']), ('', 0, []), ('', 2, []), ('0,7', 1, ['0'])],
)
def test_gpus_are_named_as_cuda_names_them(monkeypatch, named, count, gpus):
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    if named is not None:
        monkeypatch.setenv('CUDA_VISIBLE_DEVICES', named)
    monkeypatch.setattr('torch.cuda.device_count', lambda: count)
    assert visible_gpus() == gpus


@pytest.mark.parametrize(
    ('device', 'compiled_for', 'refused'),
    [('cpu', 'not available', False), ('cuda:1', '12.4', False), ('cuda:1', 'not available', True)],
)
def test_a_detector_needs_operators_for_its_device(
    monkeypatch, detector_head, device, compiled_for, refused
):
    model = nn.Sequential(nn.Linear(2, 2), detector_head)
    monkeypatch.setattr(operators, 'get_compiling_cuda_version', lambda: compiled_for)
    require_gpu_operators(model[0], device)
    if refused:
        with pytest.raises(UserError, match='RPNHead of mmdet cannot run on cuda:1'):
            require_gpu_operators(model, device)
    else:
        require_gpu_operators(model, device)

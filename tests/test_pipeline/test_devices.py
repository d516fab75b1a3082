# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import os

import pytest

from muscle_mm.pipeline.devices import hide_gpus_without_operators

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

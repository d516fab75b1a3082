# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Which device this installation can use."""

import os
from typing import Any

import torch

from muscle_mm.utils.errors import UserError
from muscle_mm.utils.toolbox import detector_in


def hide_gpus_without_operators() -> bool:
    """Hide the GPUs from this process and its commands if mmcv was compiled for the CPU alone.

    A runner would choose the GPU, and detection would fail at its first operator. mmcv is compiled
    for GPUs where nvcc is installed.

    Returns:
        bool: Whether there were GPUs to hide.
    """
    if not torch.cuda.is_available() or _has_gpu_operators():
        return False
    os.environ['CUDA_VISIBLE_DEVICES'] = ''
    return True


def visible_gpus() -> list[str]:
    """Name the GPUs that this process may use, as ``CUDA_VISIBLE_DEVICES`` names them.

    Returns:
        list[str]: Their numbers or identifiers; empty without a GPU.
    """
    count = torch.cuda.device_count()
    named = os.environ.get('CUDA_VISIBLE_DEVICES')
    if named is None:
        return [str(number) for number in range(count)]
    return [name for name in named.split(',') if name][:count]


def require_gpu_operators(model: Any, device: str | torch.device) -> None:
    """Refuse a detector on a GPU if mmcv was compiled for the CPU alone.

    It would fail at its first operator, in step 2 after the other tasks' visits.

    Args:
        model (nn.Module): The model.
        device (str | torch.device): Where it runs.

    Raises:
        UserError: If the operators are missing.
    """
    detector = detector_in(model) if torch.device(device).type == 'cuda' else None
    if detector is not None and not _has_gpu_operators():
        raise UserError(
            f'{detector} of mmdet cannot run on {device}: mmcv was compiled for the CPU alone, '
            'without nvcc. With nvcc on PATH delete .venv/.muscle_mm/mmcv.stamp and run `make '
            'install` (FORCE_CUDA=1 where no GPU is visible), or use the CPU: put '
            'CUDA_VISIBLE_DEVICES= before the same command.'
        )


def _has_gpu_operators() -> bool:
    from mmcv.ops import get_compiling_cuda_version

    return get_compiling_cuda_version() != 'not available'

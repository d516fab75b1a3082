# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Which device a pipeline can use."""

import os

import torch


def hide_gpus_without_operators() -> bool:
    """Hide the GPUs from this process and its commands if mmcv was compiled for the CPU alone.

    A runner would choose the GPU, and detection would fail at its first operator. mmcv is compiled
    for GPUs where nvcc is installed.

    Returns:
        bool: Whether there were GPUs to hide.
    """
    if not torch.cuda.is_available():
        return False
    from mmcv.ops import get_compiling_cuda_version

    if get_compiling_cuda_version() != 'not available':
        return False
    os.environ['CUDA_VISIBLE_DEVICES'] = ''
    return True

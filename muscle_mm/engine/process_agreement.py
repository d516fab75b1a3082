# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""All processes of a training have the same weights, or it has gone wrong."""

from collections.abc import Iterable

import torch
from mmengine.dist import all_gather, get_world_size
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from muscle_mm.utils.errors import UserError

#: Integers of the same number of bytes.
_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def refuse_different_weights(model: nn.Module) -> None:
    """Compare the weights of all processes bit by bit; all processes have to call it.

    Each exchanges one number a tensor, the sum of its bits. Left out is what each process has for
    itself: the statistics of a BatchNorm that is not synchronised, and the buffers that a module
    names in ``unshared_buffers``.

    Args:
        model (nn.Module): The model, without a distributed wrapper.

    Raises:
        UserError: On every process, if a tensor of one of them is another one than that of the
            first.
    """
    if get_world_size() == 1:
        return
    tensors = _shared_tensors(model)
    sums = torch.stack([_sum_of_bits(tensor) for tensor in tensors.values()])
    everyone = torch.stack(all_gather(sums)).cpu()
    differs = everyone != everyone[0]  # (processes, tensors)
    if not differs.any():
        return
    names = [name for name, any_one in zip(tensors, differs.any(dim=0), strict=True) if any_one]
    first = list(tensors).index(names[0])
    processes = ', '.join(str(int(rank)) for rank in differs[:, first].nonzero())
    raise UserError(
        f'{len(names)} of {len(tensors)} weights are not the same in all processes; the first is '
        f'{names[0]}, in which these differ from process 0: {processes}. No checkpoint is written. '
        'Something changes weights in one process alone: what a model or hook does besides '
        'gradients has to be the same everywhere. Go on from the last checkpoint with --resume.'
    )


def _shared_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Collect parameters and buffers that all processes share."""
    unshared = {id(buffer) for module in model.modules() for buffer in _unshared_buffers(module)}
    buffers = {name: buffer for name, buffer in model.named_buffers() if id(buffer) not in unshared}
    return dict(model.named_parameters()) | buffers


def _unshared_buffers(module: nn.Module) -> Iterable[Tensor]:
    """Find a module's own buffers in which processes may differ."""
    if isinstance(module, _BatchNorm) and not isinstance(module, nn.SyncBatchNorm):
        return module.buffers(recurse=False)
    return [module.get_buffer(name) for name in getattr(module, 'unshared_buffers', ())]


def _sum_of_bits(tensor: Tensor) -> Tensor:
    """Add up a tensor as integers: NaN is equal to itself, and there is no rounding."""
    flat = tensor.detach().reshape(-1)
    return flat.view(_BITS[flat.element_size()]).sum(dtype=torch.int64)

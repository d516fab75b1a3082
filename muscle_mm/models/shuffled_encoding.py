# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Encode key views in another order than their queries: MoCo's shuffled BatchNorm."""

from collections.abc import Callable

import torch
from mmengine.dist import all_gather, get_rank, get_world_size
from torch import Tensor

from muscle_mm.models.grey_data_preprocessor import unexpand_grey


@torch.no_grad()
def encode_shuffled(
    encode: Callable[[Tensor], Tensor], views: Tensor, bn_splits: int, seed: int
) -> Tensor:
    """Encode views that are shuffled over all parts of all processes' batches, and put them back.

    The BatchNorm statistics of a key then come from other films than those of its query. Source: He
    et al., MoCo, CVPR 2020, section 3.3. Where there is one part of one process, nothing can be
    shuffled.

    Args:
        encode (Callable): From (N, C, H, W) views to (N, D) vectors.
        views (Tensor): (N, C, H, W), the same N in all processes.
        bn_splits (int): Parts of one process's batch with BatchNorm statistics of their own.
        seed (int): Of the order, the same in all processes.

    Returns:
        Tensor: (N, D) vectors in the order of ``views``.
    """
    world_size, rank, own_size = get_world_size(), get_rank(), views.size(0)
    if world_size * bn_splits == 1:
        return encode(views)
    channels = views.size(1)
    views = unexpand_grey(views)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(world_size * own_size, generator=generator)
    order = order.to(views.device, non_blocking=True)
    if world_size > 1:
        views = torch.cat(all_gather(views.contiguous()))
    own = order.view(world_size, own_size)[rank]
    vectors = encode(views[own].expand(-1, channels, -1, -1))
    if world_size > 1:
        vectors = torch.cat(all_gather(vectors.contiguous()))
    restored = torch.empty_like(vectors)
    restored[order] = vectors
    return restored.view(world_size, own_size, -1)[rank]

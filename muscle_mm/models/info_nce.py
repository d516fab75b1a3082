# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The contrastive loss of MoCo."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


class InfoNCE(NamedTuple):
    """Loss and two measures of each query.

    Args:
        loss (Tensor): (N,) cross-entropy in nats; at most about the logarithm of the number of keys
            as long as nothing is learnt.
        positive_similarity (Tensor): (N,) cosine between a query and its own key, in [-1, 1];
            without gradient.
        contrast_accuracy (Tensor): (N,) 100 where a query's own key is nearer than all negatives, 0
            elsewhere; without gradient.
    """

    loss: Tensor
    positive_similarity: Tensor
    contrast_accuracy: Tensor


def info_nce(
    queries: Tensor,
    keys: Tensor,
    negatives: Tensor,
    temperature: float,
    excluded: Tensor | None = None,
) -> InfoNCE:
    """Tell each query's own key from the negatives.

    Source: He et al., MoCo, CVPR 2020, equation 1. Computed in float32, under autocast too: rounded
    to eight bits, similarities over a temperature of 0.2 would be wrong in the second digit.

    Args:
        queries (Tensor): (N, D) normalised, float32.
        keys (Tensor): (N, D) normalised, float32, without gradient.
        negatives (Tensor): (K, D) normalised, float32, without gradient.
        temperature (float): Temperature of the softmax.
        excluded (Tensor, optional): (N, K) bool, True where a negative does not count for a query.
            Defaults to None.

    Returns:
        InfoNCE: One value a query.
    """
    with torch.autocast(queries.device.type, enabled=False):
        positive = (queries * keys).sum(dim=1, keepdim=True)
        negative = queries @ negatives.t()
        if excluded is not None:
            negative = negative.masked_fill(excluded, float('-inf'))
        logits = torch.cat([positive, negative], dim=1) / temperature
        target = logits.new_zeros(logits.size(0), dtype=torch.long)
        loss = cross_entropy(logits, target, reduction='none')
    with torch.no_grad():
        nearest = positive[:, 0] > negative.amax(dim=1)
    return InfoNCE(loss, positive.detach()[:, 0], nearest.float() * 100)

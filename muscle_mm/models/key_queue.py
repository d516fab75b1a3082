# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The queue of keys that MoCo takes its negatives from."""

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

#: The set of a key that no film made, or of which nobody said whose it is.
NO_DATASET = -1


class KeyQueue(nn.Module):
    """A ring buffer of normalised keys, of any length, for batches of any size.

    Source: He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", CVPR
    2020, section 3.2 and algorithm 1. There the length is a multiple of the batch; here it need not
    be. Keys, their sets and the position are buffers, so that a resumed run goes on with the same
    negatives.

    Args:
        queue_len (int): Number of keys.
        feature_dim (int): Dimension of a key.

    Raises:
        ValueError: If an argument is not positive.
    """

    def __init__(self, queue_len: int, feature_dim: int) -> None:
        super().__init__()
        if queue_len < 1 or feature_dim < 1:
            raise ValueError(
                f'queue_len={queue_len} and feature_dim={feature_dim}: both must be at least 1.'
            )
        self.queue_len = queue_len
        # Random directions until real keys arrive, as in the paper's code.
        self.register_buffer('keys', normalize(torch.randn(queue_len, feature_dim), dim=1))
        self.register_buffer('datasets', torch.full((queue_len,), NO_DATASET))
        self.register_buffer('position', torch.zeros((), dtype=torch.long))
        self.keys: Tensor
        self.datasets: Tensor
        self.position: Tensor

    @torch.no_grad()
    def enqueue(self, keys: Tensor, datasets: Tensor | None = None) -> None:
        """Replace the oldest keys.

        Args:
            keys (Tensor): (N, feature_dim) normalised keys, the same on every rank. Where N exceeds
                the queue's length, only the last ``queue_len`` remain.
            datasets (Tensor, optional): (N,) int64, a number for the set of each key. Defaults to
                None: ``NO_DATASET``.
        """
        count = keys.size(0)
        kept = keys[-self.queue_len :].to(self.keys.dtype)
        skipped = count - kept.size(0)
        places = torch.arange(skipped, count, device=self.keys.device)
        places = (self.position + places) % self.queue_len
        self.keys[places] = kept
        if datasets is None:
            # An assignment would copy the number from the CPU, and wait.
            self.datasets.index_fill_(0, places, NO_DATASET)
        else:
            self.datasets[places] = datasets[-self.queue_len :]
        self.position.copy_((self.position + count) % self.queue_len)

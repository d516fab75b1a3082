# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""BatchNorm over parts of a batch, as several devices would compute it."""

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm
from torch.nn.modules.batchnorm import _BatchNorm


class SplitBatchNorm(_BatchNorm):
    """BatchNorm that normalises each part of a batch by the part's own mean and variance.

    Contrastive learning needs it on one device: with the statistics of one whole batch, all queries
    and keys of a step carry the same mark, which older keys in the queue do not, and the network
    learns that mark. Source: He et al., MoCo, CVPR 2020, section 3.3; the authors' CIFAR example
    splits batches in the same way.

    In evaluation mode, and in its parameters and buffers, it is the BatchNorm of torch. One step
    moves the running statistics as far as one batch moves those of torch's. Parts differ by one
    sample at most and hold at least two, so that any batch size will do; a small batch has fewer
    parts.

    Args:
        num_features (int): Channels.
        splits (int): Parts of a batch. Defaults to 1.
        **kwargs: ``eps``, ``momentum``, ``affine``, ``track_running_stats``, as torch's BatchNorm;
            ``momentum`` must be a number.

    Raises:
        ValueError: If ``splits`` is not positive, or ``momentum`` is None.
    """

    def __init__(self, num_features: int, splits: int = 1, **kwargs: object) -> None:
        super().__init__(num_features, **kwargs)  # type: ignore[arg-type]
        if splits < 1:
            raise ValueError(f'splits={splits}: must be at least 1.')
        if self.momentum is None:
            raise ValueError('momentum=None: split BatchNorm needs a number.')
        self.splits = splits

    def forward(self, input: Tensor) -> Tensor:
        """Normalise a batch.

        Args:
            input (Tensor): (N, C, ...).

        Returns:
            Tensor: The same shape and memory format.
        """
        parts = min(self.splits, input.size(0) // 2)
        if not self.training or parts < 2:
            return super().forward(input)
        if self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        momentum = 1 - (1 - (self.momentum or 0.0)) ** (1 / parts)
        # Not tensor_split: the gradient of `split` is one concatenation, that of tensor_split a
        # full-size sum for each part.
        smaller, larger = divmod(input.size(0), parts)
        sizes = [smaller + (part < larger) for part in range(parts)]
        return torch.cat(
            [
                batch_norm(
                    part,
                    self.running_mean,
                    self.running_var,
                    self.weight,
                    self.bias,
                    training=True,
                    momentum=momentum,
                    eps=self.eps,
                )
                for part in input.split(sizes)
            ]
        )

    def _check_input_dim(self, input: Tensor) -> None:
        """Take vectors and feature maps alike."""

    def extra_repr(self) -> str:
        """Show the number of parts, too."""
        return f'{super().extra_repr()}, splits={self.splits}'


def split_batch_norm(module: nn.Module, splits: int) -> nn.Module:
    """Put :class:`SplitBatchNorm` in the place of each BatchNorm; SyncBatchNorm stays.

    Names, parameters and buffers remain, so that checkpoints fit as before.

    Args:
        module (nn.Module): Changed in place, unless it is a BatchNorm itself.
        splits (int): Parts of a batch.

    Returns:
        nn.Module: The module.
    """
    if isinstance(module, _BatchNorm):
        if isinstance(module, nn.SyncBatchNorm):
            return module
        split = SplitBatchNorm(
            module.num_features,
            splits,
            eps=module.eps,
            momentum=module.momentum,
            affine=module.affine,
            track_running_stats=module.track_running_stats,
        )
        for name, value in (*module.named_parameters(), *module.named_buffers()):
            setattr(split, name, value)
        return split.train(module.training)
    for name, child in module.named_children():
        setattr(module, name, split_batch_norm(child, splits))
    return module

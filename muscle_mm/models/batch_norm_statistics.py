# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Running statistics of the BatchNorm layers of a network."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


def batch_norms(network: nn.Module) -> dict[str, Any]:
    """Find the layers that keep running statistics: BatchNorm of torch and mmcv, synchronised too.

    Args:
        network (nn.Module): Any network.

    Returns:
        dict[str, nn.Module]: The layers by their path; empty for a ConvNeXt or a Swin.
    """
    return {
        path: module
        for path, module in network.named_modules()
        if isinstance(getattr(module, 'running_mean', None), Tensor)
    }


def statistics_names(network: nn.Module) -> frozenset[str]:
    """Name the running statistics in a network's state dict.

    Args:
        network (nn.Module): Any network.

    Returns:
        frozenset[str]: ``'bn1.running_mean'`` and so on, with the counters of batches.
    """
    return frozenset(
        f'{path}.{name}'
        for path, layer in batch_norms(network).items()
        for name, _ in layer.named_buffers(recurse=False)
    )


@torch.no_grad()
def mix_statistics(target: nn.Module, sources: Sequence[nn.Module]) -> None:
    """Give a network the statistics of the equal mixture of several networks' data.

    Mean and variance are the exact moments of the mixture: the mean of the means, and the mean of
    the variances plus the variance of the means. Equal sources give the same bits. The counter is
    the largest one.

    Args:
        target (nn.Module): Network whose running statistics are written.
        sources (Sequence[nn.Module]): Networks with the same layers; a layer that is not in all of
            them is left out.
    """
    found = [batch_norms(network) for network in (target, *sources)]
    common = [path for path in found[0] if all(path in layers for layers in found)]
    if not common:
        return
    targets, *layers = ([own[path] for path in common] for own in found)
    # One vector a source: a few operations in place of a few for every layer.
    means = torch.stack([torch.cat([layer.running_mean for layer in own]) for own in layers])
    variances = torch.stack([torch.cat([layer.running_var for layer in own]) for own in layers])
    # As a distance from the first source: a mean of equal numbers may be off by one bit.
    mean = means[0] + (means - means[0]).mean(dim=0)
    within = variances[0] + (variances - variances[0]).mean(dim=0)
    variance = within + (means - mean).square().mean(dim=0)
    sizes = [layer.running_mean.numel() for layer in targets]
    torch._foreach_copy_([layer.running_mean for layer in targets], list(mean.split(sizes)))
    torch._foreach_copy_([layer.running_var for layer in targets], list(variance.split(sizes)))
    counts = [torch.stack([layer.num_batches_tracked for layer in own]) for own in layers]
    largest = torch.stack(counts).amax(dim=0)
    torch._foreach_copy_([layer.num_batches_tracked for layer in targets], list(largest.unbind()))


@torch.no_grad()
def copy_statistics(source: nn.Module, target: nn.Module) -> None:
    """Copy the running statistics of one network into another with the same layers.

    Args:
        source (nn.Module): Network to read.
        target (nn.Module): Network whose running statistics are written.
    """
    own, other = batch_norms(target), batch_norms(source)
    for path in own.keys() & other.keys():
        layer = own[path]
        for name, buffer in layer.named_buffers(recurse=False):
            buffer.copy_(other[path].get_buffer(name))

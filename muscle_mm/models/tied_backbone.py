# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""One set of backbone weights that runs in several geometries."""

from torch import nn

from muscle_mm.models.batch_norm_statistics import batch_norms
from muscle_mm.utils.errors import UserError


def tie_backbone(
    variant: nn.Module, shared: nn.Module, name: str, own_statistics: bool = False
) -> None:
    """Make a backbone variant use the parameters and buffers of the shared backbone.

    DeepLab-V3 wants output stride 8 and Faster R-CNN stride 32, on the same weights: the variants
    differ in strides, dilations and outputs alone.

    Args:
        variant (nn.Module): The backbone of one task, changed in place.
        shared (nn.Module): The backbone that owns the weights.
        name (str): The task's name, for the message.
        own_statistics (bool): Whether the variant keeps running statistics of its own. Defaults to
            False.

    Raises:
        UserError: If the two differ in their weights.
    """
    variant_shapes = {key: value.shape for key, value in variant.state_dict().items()}
    shared_shapes = {key: value.shape for key, value in shared.state_dict().items()}
    if variant_shapes != shared_shapes:
        differing = sorted(
            key
            for key in variant_shapes.keys() | shared_shapes.keys()
            if variant_shapes.get(key) != shared_shapes.get(key)
        )
        raise UserError(
            f'tasks.{name}.backbone changes the weights of the shared backbone ({len(differing)} '
            f'of them, first {differing[0]}). A task may only change geometry: strides, dilations, '
            'out_indices.'
        )
    tie_again(variant, shared, own_statistics)


def tie_again(variant: nn.Module, shared: nn.Module, own_statistics: bool = False) -> None:
    """Tie a variant that was tied before, and whose modules may have been replaced since.

    Module by module the variant gets the shared module's own dictionaries of parameters and
    buffers, so that the tie also survives ``.to(device)``, which replaces the buffers in them. Each
    module that takes the place of another, as in the conversion to SyncBatchNorm, has dictionaries
    of its own again, which hold the same tensors until such a move.

    Args:
        variant (nn.Module): The backbone of one task, changed in place.
        shared (nn.Module): The backbone that owns the weights.
        own_statistics (bool): Whether the variant keeps running statistics of its own. Defaults to
            False.
    """
    own = batch_norms(variant) if own_statistics else {}
    shared_modules = dict(shared.named_modules())
    for path, module in variant.named_modules():
        module._parameters = shared_modules[path]._parameters
        if path not in own:
            module._buffers = shared_modules[path]._buffers

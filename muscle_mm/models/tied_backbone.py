# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""One set of backbone weights that runs in several geometries."""

from torch import nn

from muscle_mm.utils.errors import UserError


def tie_backbone(variant: nn.Module, shared: nn.Module, name: str) -> None:
    """Make a backbone variant use the parameters and buffers of the shared backbone.

    DeepLab-V3 wants output stride 8 and Faster R-CNN stride 32, on the same weights: the variants
    differ in strides, dilations and outputs alone. Module by module the variant gets the shared
    module's own dictionaries of parameters and buffers, so that the tie also survives
    ``.to(device)``, which replaces the buffers in them.

    Args:
        variant (nn.Module): The backbone of one task, changed in place.
        shared (nn.Module): The backbone that owns the weights.
        name (str): The task's name, for the message.

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
    shared_modules = dict(shared.named_modules())
    for path, module in variant.named_modules():
        module._parameters = shared_modules[path]._parameters
        module._buffers = shared_modules[path]._buffers

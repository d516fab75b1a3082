# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""One set of backbone weights that runs in several geometries."""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from muscle_mm.models.batch_norm_statistics import batch_norms, statistics_names
from muscle_mm.utils.errors import UserError

#: ConvNeXt, Swin and others normalise each of their outputs by a layer of this name.
_OUTPUT_NORM = re.compile(r'norm\d+\.')


def tie_backbone(
    variant: nn.Module, shared: nn.Module, name: str, own_statistics: bool = False
) -> frozenset[str]:
    """Make a backbone variant use the parameters and buffers of the shared backbone.

    DeepLab-V3 wants output stride 8 and Faster R-CNN stride 32, on the same weights: the variants
    differ in strides, dilations and outputs alone. Where the backbone normalises each output by a
    layer of its own (``norm<i>`` for each of ``out_indices``), a variant with another selection of
    outputs may lack some of the shared layers, and keeps for itself those that the shared backbone
    lacks.

    Args:
        variant (nn.Module): The backbone of one task, changed in place.
        shared (nn.Module): The backbone that owns the weights.
        name (str): The task's name, for the message.
        own_statistics (bool): Whether the variant keeps running statistics of its own. Defaults to
            False.

    Returns:
        frozenset[str]: Names in the variant's state dict that remain its own.

    Raises:
        UserError: If the two differ in their weights.
    """
    variant_shapes = {key: value.shape for key, value in variant.state_dict().items()}
    shared_shapes = {key: value.shape for key, value in shared.state_dict().items()}
    differing = sorted(
        key
        for key in variant_shapes.keys() | shared_shapes.keys()
        if variant_shapes.get(key) != shared_shapes.get(key)
        and not (_OUTPUT_NORM.match(key) and (key in variant_shapes) != (key in shared_shapes))
    )
    if differing:
        raise UserError(
            f'tasks.{name}.backbone changes the weights of the shared backbone ({len(differing)} '
            f'of them, first {differing[0]}). A task may only change geometry: strides, dilations, '
            'out_indices.'
        )
    own = variant_shapes.keys() - shared_shapes.keys()
    if own_statistics:
        own = own | statistics_names(variant)
    tie_again(variant, shared, own_statistics)
    return frozenset(own)


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
        if path not in shared_modules:
            continue
        module._parameters = shared_modules[path]._parameters
        if path not in own:
            module._buffers = shared_modules[path]._buffers


def drop_tied(state_dict: dict[str, Any], prefix: str, own: frozenset[str]) -> None:
    """After ``state_dict``: leave of a variant only what is its own.

    Args:
        state_dict (dict[str, Any]): State dict of the model, changed in place.
        prefix (str): What stands before the variant's names.
        own (frozenset[str]): The variant's own names.
    """
    for key in [key for key in state_dict if key.startswith(prefix)]:
        if key[len(prefix) :] not in own:
            del state_dict[key]


def add_tied(
    state_dict: dict[str, Any],
    prefix: str,
    own: frozenset[str],
    variant: nn.Module,
    shared: Mapping[str, Tensor],
) -> None:
    """Before loading: give a variant the shared weights that were saved once.

    Args:
        state_dict (dict[str, Any]): State dict of the model, changed in place.
        prefix (str): What stands before the variant's names.
        own (frozenset[str]): The variant's own names: these are filled only where they are missing.
        variant (nn.Module): The variant.
        shared (Mapping[str, Tensor]): The shared weights, by their names in the backbone.
    """
    for name in variant.state_dict():
        if name in shared and not (name in own and prefix + name in state_dict):
            state_dict[prefix + name] = shared[name]

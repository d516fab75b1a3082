# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The one place where a backbone gets its first weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModule, ConstantInit, KaimingInit
from torch import nn

from muscle_mm.registry import WEIGHT_INITIALIZERS
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.published_weights import PREFIX, published_weights
from muscle_mm.utils.safe_loading import load_checkpoint_file, state_dict_of

#: Where several prefixes fit (MD-MoCo also keeps a momentum encoder), the first of these wins.
_PREFERRED_PREFIXES = ('', 'backbone.', 'module.backbone.', 'model.backbone.')
#: A message lists this many names of a kind.
_NAMES_SHOWN = 5


def find_backbone_prefix(names: Mapping[str, Any], backbone_names: Mapping[str, Any]) -> str | None:
    """Find the prefix under which a state dict holds a backbone.

    Args:
        names (Mapping[str, Any]): State dict of the checkpoint.
        backbone_names (Mapping[str, Any]): State dict of the backbone to fill.

    Returns:
        str | None: The prefix that matches most names, or None where no name matches.
    """
    first = next(iter(backbone_names))
    prefixes = {
        name[: -len(first)] for name in names if name == first or name.endswith(f'.{first}')
    }
    if not prefixes:
        return None

    def rank(prefix: str) -> tuple[int, int, str]:
        matches = sum(prefix + name in names for name in backbone_names)
        preference = (
            _PREFERRED_PREFIXES.index(prefix)
            if prefix in _PREFERRED_PREFIXES
            else len(_PREFERRED_PREFIXES)
        )
        return -matches, preference, prefix

    return min(prefixes, key=rank)


def extract_backbone(
    state_dict: Mapping[str, Any],
    backbone: nn.Module,
    source: str,
    prefix: str | None = None,
) -> dict[str, torch.Tensor]:
    """Take a backbone's weights out of a state dict, all of them or none.

    Args:
        state_dict (Mapping[str, Any]): Weights of any model that holds the backbone.
        backbone (nn.Module): The backbone that they must fit.
        source (str): The file's name, for messages.
        prefix (str, optional): What stands before the backbone's names, for example
            ``'backbone.'``. Defaults to None: found by itself.

    Returns:
        dict[str, torch.Tensor]: The backbone's complete state dict, without the prefix.

    Raises:
        UserError: If a name is missing, has another shape, or if the file holds another backbone's
            names besides.
    """
    wanted = backbone.state_dict()
    found = find_backbone_prefix(state_dict, wanted) if prefix is None else prefix
    sample = ', '.join(list(state_dict)[:3]) or 'nothing'
    if found is None or not any(found + name in state_dict for name in wanted):
        where = f' under the prefix {prefix!r}' if prefix is not None else ''
        raise UserError(
            f'{source}: no {type(backbone).__name__} weights{where}: {next(iter(wanted))!r} is not '
            f'among its {len(state_dict)} names (it begins with: {sample}). Give the checkpoint of '
            'a model with this backbone, or the right init_cfg.prefix.'
        )
    # Counters were added to BatchNorm after the first published ImageNet files.
    missing = [
        name
        for name in wanted
        if found + name not in state_dict and not name.endswith('num_batches_tracked')
    ]
    # Below a prefix that says backbone all is the backbone's, but for torchvision's classifier.
    # Below another there may be heads as well.
    top_level = {name.split('.', 1)[0] for name in wanted}

    def belongs(name: str) -> bool:
        part = name.split('.', 1)[0]
        return part in top_level or (found.endswith('backbone.') and part != 'fc')

    extra = [
        name
        for name in state_dict
        if name.startswith(found)
        and name[len(found) :] not in wanted
        and belongs(name[len(found) :])
    ]
    reshaped = [
        f'{found}{name} {tuple(state_dict[found + name].shape)} instead of {tuple(value.shape)}'
        for name, value in wanted.items()
        if found + name in state_dict and state_dict[found + name].shape != value.shape
    ]
    if missing or extra or reshaped:
        details = [
            f'{len(problem)} {kind}: {", ".join(problem[:_NAMES_SHOWN])}'
            + (f' and {len(problem) - _NAMES_SHOWN} more' if len(problem) > _NAMES_SHOWN else '')
            for kind, problem in (
                ('names missing', missing),
                ('names that this backbone does not have', extra),
                ('shapes that differ', reshaped),
            )
            if problem
        ]
        depth = getattr(backbone, 'depth', None)
        raise UserError(
            f'{source}: does not fit this {type(backbone).__name__}'
            + (f' of depth {depth}' if depth is not None else '')
            + f': {"; ".join(details)}. Check that the depth (model.backbone.depth) is that of the '
            'checkpoint.'
        )
    return {name: state_dict[found + name] for name in wanted if found + name in state_dict}


def with_parts_of_task(state_dict: Mapping[str, Any], task: str, source: str) -> dict[str, Any]:
    """Put what a task's backbone has of its own in its place in the shared backbone.

    Args:
        state_dict (Mapping[str, Any]): Weights of a ``MultiTaskPretrainer``.
        task (str): The task's name.
        source (str): The file's name, for messages.

    Returns:
        dict[str, Any]: The same weights, with that task's BatchNorm statistics, and layers that
        normalise its outputs (ConvNeXt, Swin), under ``backbone.``.

    Raises:
        UserError: If the task has nothing of its own there.
    """
    own = f'tasks.{task}.'
    parts = {
        name[len(own) :]: value
        for name, value in state_dict.items()
        if name.startswith(f'{own}backbone.')
    }
    if not parts:
        names = [name.split('.') for name in state_dict if name.startswith('tasks.')]
        others = sorted({name[1] for name in names if name[2:3] == ['backbone']})
        raise UserError(
            f'{source} holds nothing of the backbone that only the task {task!r} has, such as '
            "BatchNorm statistics (after model.batch_norm='per_task'). "
            + (f'It has some of {", ".join(others)}.' if others else 'It has none.')
        )
    return {**state_dict, **parts}


def _file_of(checkpoint: str) -> Path:
    """Find the file that a config names, or say how to get it."""
    if checkpoint.startswith(PREFIX):
        return published_weights(checkpoint.removeprefix(PREFIX))
    path = Path(checkpoint).expanduser()
    if not path.is_file():
        raise UserError(
            f'the checkpoint {checkpoint} that the backbone is to start from does not exist. Name '
            'the one you mean: --cfg-options model.backbone.init_cfg.checkpoint=PATH; any '
            'checkpoint of step 1 or 2 will do. Or make the file: python tools/export_backbone.py '
            f'PATH {checkpoint}. (In the configs "..-pre" it lies below MUSCLE_CHECKPOINTS, by '
            'default "checkpoints" in the working directory.)'
        )
    return path


@WEIGHT_INITIALIZERS.register_module()
class BackboneInit:
    """Start a backbone from scratch or from any checkpoint that holds it, and say so.

    mmengine's ``Pretrained`` warns about missing keys and trains on. Here every weight of the
    backbone must be in the file with the right shape, or the run ends before it starts.

    Args:
        checkpoint (str, optional): An ImageNet file of torchvision, a checkpoint of MD-MoCo, of the
            continual step or of a fine-tuned model. ``'torchvision://resnet18'`` stands for the
            weights that torchvision publishes (``IMAGENET1K_V1``), from torch.hub's cache, or
            downloaded. Defaults to None: Scratch, that is Kaiming's normal initialisation (fan out)
            and BatchNorm at one and zero; mmpretrain's ResNet then sets the last BatchNorm of each
            block to zero, unless ``zero_init_residual=False``.
        prefix (str, optional): What stands before the backbone's names in the file. Defaults to
            None: found by itself.
        task (str, optional): A task of a continual step, whose own parts of the backbone are taken:
            its BatchNorm statistics (``batch_norm='per_task'``), its output norms (ConvNeXt, Swin).
            Defaults to None: the shared backbone, with the statistics of the mixture of its tasks.

    Raises:
        UserError: When it is applied, if there is no such file, if it does not hold exactly this
            backbone, or nothing of the task's own.
    """

    def __init__(
        self, checkpoint: str | None = None, prefix: str | None = None, task: str | None = None
    ) -> None:
        self.checkpoint = checkpoint
        self.prefix = prefix
        self.task = task

    def __call__(self, module: Any) -> None:
        """Set the weights of a backbone in place.

        Args:
            module (nn.Module): The backbone.
        """
        if self.checkpoint is None:
            KaimingInit(layer='Conv2d', mode='fan_out', nonlinearity='relu')(module)
            ConstantInit(layer=['_BatchNorm', 'GroupNorm', 'LayerNorm'], val=1)(module)
            return
        saved = state_dict_of(load_checkpoint_file(_file_of(self.checkpoint)))
        if self.task is not None:
            saved = with_parts_of_task(saved, self.task, str(self.checkpoint))
        weights = extract_backbone(saved, module, source=str(self.checkpoint), prefix=self.prefix)
        with torch.no_grad():
            own = module.state_dict()
            for name, value in weights.items():
                own[name].copy_(value)
        print_log(
            f'backbone: {len(weights)} tensors loaded from {self.checkpoint}', logger='current'
        )
        # Backbones of the toolboxes initialise parts once more after this (zero-initialised last
        # BatchNorm, position embeddings) unless their init_cfg is called 'Pretrained'.
        if hasattr(module, 'init_cfg'):
            module.init_cfg = dict(type='Pretrained', checkpoint=self.checkpoint)
        for child in module.modules():
            if child is not module and isinstance(child, BaseModule):
                child._is_init = True

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Weights of MoCo as the toolboxes name them, and as ``muscle_mm.MDMoCo`` does."""

from collections.abc import Mapping

import torch
from torch import Tensor

from muscle_mm.utils.errors import UserError

#: Prefixes: in MoCo of mmpretrain and of mmselfsup (the same in both), and in MDMoCo.
_PREFIXES = (
    ('backbone.', 'backbone.'),
    ('neck.', 'neck.'),
    ('encoder_k.module.0.', 'momentum_backbone.'),
    ('encoder_k.module.1.', 'momentum_neck.'),
)


def moco_to_md_moco(weights: Mapping[str, Tensor], source: str) -> dict[str, Tensor]:
    """Rename the weights of mmpretrain's or mmselfsup's MoCo.

    Args:
        weights (Mapping[str, Tensor]): Their state dict.
        source (str): The file's name, for messages.

    Returns:
        dict[str, Tensor]: State dict of an ``MDMoCo`` with the same networks and queue length; the
        queue's keys belong to no set.

    Raises:
        UserError: If a part is missing, or one is there that MoCo does not have.
    """
    renamed = _renamed(weights, _PREFIXES, ('queue', 'queue_ptr', 'encoder_k.steps'), source)
    keys = weights['queue'].t().contiguous()
    return {
        **renamed,
        'queue.keys': keys,
        'queue.datasets': torch.full((len(keys),), -1),
        'queue.position': weights['queue_ptr'].reshape(()).clone(),
    }


def md_moco_to_moco(weights: Mapping[str, Tensor], source: str) -> dict[str, Tensor]:
    """Rename the weights of ``MDMoCo`` as mmpretrain's and mmselfsup's MoCo name them.

    Args:
        weights (Mapping[str, Tensor]): State dict of an ``MDMoCo``.
        source (str): The file's name, for messages.

    Returns:
        dict[str, Tensor]: State dict of their MoCo with the same networks and queue length.

    Raises:
        UserError: If a part is missing, or one is there that MDMoCo does not have.
    """
    prefixes = tuple((own, theirs) for theirs, own in _PREFIXES)
    renamed = _renamed(
        weights, prefixes, ('queue.keys', 'queue.position', 'queue.datasets'), source
    )
    return {
        **renamed,
        # At step 0 it would overwrite the momentum encoder with the query encoder.
        'encoder_k.steps': torch.tensor(1),
        'queue': weights['queue.keys'].t().contiguous(),
        'queue_ptr': weights['queue.position'].reshape(1).clone(),
    }


def refuse_other_checkpoint(model: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> None:
    """Refuse a whole checkpoint that does not fit an ``MDMoCo``: mmengine would only warn.

    Args:
        model (Mapping[str, Tensor]): State dict of the model.
        weights (Mapping[str, Tensor]): State dict of the checkpoint.

    Raises:
        UserError: For the first key that is missing, unknown or of another shape.
    """
    weights = {name.removeprefix('module.'): value for name, value in weights.items()}
    # The preprocessor's mean and deviation come from the config.
    names = [name for name in (*model, *weights) if not name.startswith('data_preprocessor.')]
    for name in names:
        if name not in weights or name not in model:
            problem = 'has no' if name not in weights else 'has a key that MDMoCo has not:'
            raise UserError(
                f'the checkpoint {problem} {name!r}. load_from and resume need a checkpoint of the '
                'same MDMoCo; tools/convert_moco.py converts one of another MoCo, and '
                'model.backbone.init_cfg.checkpoint=PATH takes the backbone alone.'
            )
        theirs, own = tuple(weights[name].shape), tuple(model[name].shape)
        if theirs != own:
            raise UserError(
                f'the checkpoint does not fit the model: {name!r} has shape {theirs}, in the model '
                f'it is {own}. {_way_out(name, theirs, own)}'
            )


def _way_out(name: str, theirs: tuple[int, ...], own: tuple[int, ...]) -> str:
    """Name the option that makes the model fit."""
    if name.startswith('queue.') and theirs[:1] != own[:1]:
        return f'Set model.queue_len={theirs[0]}.'
    if name == 'queue.keys':
        return f'Set model.feature_dim={theirs[1]}, and out_channels of model.neck alike.'
    part = name.split('.')[0].removeprefix('momentum_')
    return f'Set the options of model.{part} as they were in the training that wrote it.'


def _renamed(
    weights: Mapping[str, Tensor],
    prefixes: tuple[tuple[str, str], ...],
    queue: tuple[str, ...],
    source: str,
) -> dict[str, Tensor]:
    """Replace prefixes, all of which must occur, and let nothing be left but the queue."""
    renamed = {
        new + name[len(old) :]: value
        for old, new in prefixes
        for name, value in weights.items()
        if name.startswith(old)
    }
    missing = [old for old, _ in prefixes if not any(name.startswith(old) for name in weights)]
    missing += [name for name in queue if name not in weights]
    known = tuple(old for old, _ in prefixes)
    # The preprocessor's mean and deviation come from the config.
    unknown = [
        name
        for name in weights
        if name not in queue and not name.startswith((*known, 'data_preprocessor.'))
    ]
    if missing or unknown:
        problem = f'has no {missing[0]!r}' if missing else f'has {unknown[0]!r}, which MoCo has not'
        raise UserError(
            f'{source} {problem}. It must be a whole checkpoint of MoCo; for a backbone alone use '
            "init_cfg=dict(type='muscle_mm.BackboneInit', checkpoint=...)."
        )
    return renamed

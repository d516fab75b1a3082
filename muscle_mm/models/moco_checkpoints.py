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

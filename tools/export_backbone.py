# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Take the ResNet out of a checkpoint: ``python tools/export_backbone.py CHECKPOINT OUT``.

The file holds ``state_dict`` (names without prefix, as mmpretrain, mmseg, mmdet and torchvision
call them) and ``meta`` (where it came from). Every weight must be there: a checkpoint of another
network is refused.
"""

import argparse
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from muscle_mm import __version__
from muscle_mm.command_line.friendly_errors import run_command
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.safe_loading import load_checkpoint_file, state_dict_of
from muscle_mm.utils.whole_file import whole_file

#: (blocks of the third stage, whether they are bottlenecks) -> depth
_DEPTHS = {(2, False): 18, (6, False): 34, (6, True): 50, (23, True): 101, (36, True): 152}


def parse_arguments() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The arguments.
    """
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('checkpoint', type=Path, help='checkpoint of any of the three steps')
    parser.add_argument('out', type=Path, help='file to write (.pth)')
    parser.add_argument('--prefix', help='what stands before the names. Default: found by itself')
    return parser.parse_args()


def depth_of(weights: Mapping[str, Any], prefix: str | None, source: Path) -> int:
    """Read the depth of a ResNet off the names of its weights.

    Args:
        weights (Mapping[str, Any]): State dict of a model that holds it.
        prefix (str, optional): What stands before its names; None for any.
        source (Path): The file, for the message.

    Returns:
        int: The depth.

    Raises:
        UserError: If there is no ResNet of a known depth.
    """
    own = [name for name in weights if prefix is None or name.startswith(prefix)]
    blocks = {name.split('layer3.', 1)[1].split('.', 1)[0] for name in own if 'layer3.' in name}
    bottleneck = any('layer3.0.conv3.' in name for name in own)
    depth = _DEPTHS.get((len(blocks), bottleneck))
    if depth is None:
        where = f' below the prefix {prefix!r}' if prefix else ''
        raise UserError(
            f'{source} holds no ResNet of a known depth{where} ({len(blocks)} blocks named layer3).'
        )
    return depth


def main() -> None:
    """Export."""
    arguments = parse_arguments()
    checkpoint = load_checkpoint_file(arguments.checkpoint)
    weights = state_dict_of(checkpoint)
    depth = depth_of(weights, arguments.prefix, arguments.checkpoint)

    import torch
    from mmengine.registry import MODELS

    from muscle_mm.models.backbone_init import extract_backbone
    from muscle_mm.utils.toolbox import require_toolbox

    require_toolbox('mmpretrain', needed_by='tools/export_backbone.py')
    backbone = MODELS.build(dict(type='mmpretrain.ResNet', depth=depth))
    extracted = extract_backbone(weights, backbone, str(arguments.checkpoint), arguments.prefix)
    meta = checkpoint.get('meta') or {}
    provenance = {
        'architecture': f'ResNet-{depth}',
        'source': arguments.checkpoint.name,
        'source_sha256': hashlib.sha256(arguments.checkpoint.read_bytes()).hexdigest(),
        'muscle_mm_version': __version__,
        **{key: meta[key] for key in ('experiment_name', 'epoch', 'iter', 'time') if key in meta},
        # The whole config of the training, as text.
        **({'config': meta['cfg']} if isinstance(meta.get('cfg'), str) else {}),
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(arguments.out) as unfinished:
        torch.save({'state_dict': extracted, 'meta': provenance}, unfinished)
    print(f'{arguments.out}: ResNet-{depth}, {len(extracted)} tensors from {arguments.checkpoint}')


if __name__ == '__main__':
    run_command(main)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Take the ResNet out of a checkpoint: ``python tools/export_backbone.py CHECKPOINT OUT``.

mmpretrain, mmseg, mmdet, torchvision and timm call a ResNet's weights alike, so one file fits all;
``--layout`` names the library whose real model it is held against. Every weight must be there with
its shape, and none besides: a checkpoint of another network is refused. The ending of OUT says what
is written. How to load it:

OUT.pth, with ``state_dict`` and ``meta``, is for the toolboxes' configs::

    model.backbone = dict(
        type='ResNet',  # in mmseg not ResNetV1c, whose stem is another one
        depth=18,
        init_cfg=dict(type='Pretrained', checkpoint='OUT.pth'),
    )

and for torchvision and timm::

    weights = torch.load('OUT.pth', weights_only=True)['state_dict']
    torchvision.models.resnet18().load_state_dict(weights, strict=False)  # lacks fc alone

OUT.safetensors holds the weights alone, and strings about them, for all else::

    model = timm.create_model('resnet18', num_classes=0, checkpoint_path='OUT.safetensors')
    weights = safetensors.torch.load_file('OUT.safetensors')

Where the weights come from (config and its file's name, data sets, git revision, epoch, iteration,
versions, the checkpoint's hash) is in ``meta``, or in the metadata of a .safetensors file. The same
checkpoint gives the same bytes. Films go in as in training: one grey channel shown three times,
minus ``mean``, divided by ``std`` (both are in the config).
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from muscle_mm import __version__
from muscle_mm.command_line.friendly_errors import run_command
from muscle_mm.models.resnet_layouts import LAYOUTS, build_resnet
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.file_digest import file_sha256
from muscle_mm.utils.revision import git_revision
from muscle_mm.utils.safe_loading import load_checkpoint_file, state_dict_of
from muscle_mm.utils.weights_file import ENDINGS, write_weights

#: (blocks of the third stage, whether they are bottlenecks) -> depth
_DEPTHS = {(2, False): 18, (6, False): 34, (6, True): 50, (23, True): 101, (36, True): 152}
#: --which -> (prefix of its names, prefix that such a checkpoint has, the step that writes it)
_WHICH = {
    'query': ('backbone.', 'momentum_backbone.', 'MD-MoCo (step 1)'),
    'key': ('momentum_backbone.', 'momentum_backbone.', 'MD-MoCo (step 1)'),
    'shared': ('backbone.', 'tasks.', 'the continual step (step 2)'),
}


def parse_arguments() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The arguments.
    """
    title, text = __doc__.split('\n', 1)
    parser = argparse.ArgumentParser(
        description=title, epilog=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoint', type=Path, help='checkpoint of any of the three steps')
    parser.add_argument('out', type=Path, help=f'file to write ({" or ".join(ENDINGS)})')
    parser.add_argument(
        '--layout',
        choices=LAYOUTS,
        default='mmpretrain',
        help='library whose ResNet it must fit (default: mmpretrain)',
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        '--which',
        choices=_WHICH,
        help="MD-MoCo's query encoder or key (momentum) encoder, or the backbone that the tasks of "
        'step 2 share. Default: the one backbone, of MD-MoCo the query encoder',
    )
    source.add_argument('--prefix', help='what stands before the names. Default: found by itself')
    source.add_argument(
        '--task',
        help="a task of step 2 trained with batch_norm='per_task', whose BatchNorm statistics are "
        'taken. Default: those of the equal mixture of its tasks',
    )
    return parser.parse_args()


def prefix_of(which: str | None, weights: Mapping[str, Any], source: Path) -> str | None:
    """Find the prefix of the encoder that is asked for.

    Args:
        which (str, optional): 'query', 'key' or 'shared'; None for any.
        weights (Mapping[str, Any]): State dict of a model.
        source (Path): The file, for the message.

    Returns:
        str | None: The prefix; None for any.

    Raises:
        UserError: If the checkpoint is of another step.
    """
    if which is None:
        return None
    prefix, marker, step = _WHICH[which]
    if not any(name.startswith(marker) for name in weights):
        raise UserError(
            f'--which {which} is for a checkpoint of {step}: no name in {source} begins with '
            f'{marker!r}. Leave --which out, or give another checkpoint.'
        )
    return prefix


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


def provenance_of(checkpoint: Mapping[str, Any], source: Path) -> dict[str, str]:
    """Collect where a checkpoint comes from.

    Args:
        checkpoint (Mapping[str, Any]): Its content.
        source (Path): The file.

    Returns:
        dict[str, str]: What is known, without today's date, so that an export can be repeated.
    """
    meta = checkpoint.get('meta') or {}
    data = meta.get('dataset_meta') or {}
    tasks = data.get('tasks') or {}
    data_sets = data.get('datasets') or [data.get('dataset')]
    if tasks:
        data_sets = [f'{task}: {about.get("dataset", "?")}' for task, about in tasks.items()]
    known = {
        'source': source.name,
        'source_sha256': file_sha256(source),
        'exported_by_muscle_mm': f'{__version__} {git_revision()}',
        'data_sets': ', '.join(map(str, filter(None, data_sets))),
        # The whole config of the training, as text.
        'config': meta.get('cfg') if isinstance(meta.get('cfg'), str) else None,
        **{
            key: meta.get(key)
            for key in (
                'config_file',
                'experiment_name',
                'epoch',
                'iter',
                'seed',
                'time',
                'mmengine_version',
                'muscle_mm_version',
                'muscle_mm_revision',
            )
        },
    }
    return {key: str(value) for key, value in known.items() if value not in (None, '')}


def main() -> None:
    """Export."""
    arguments = parse_arguments()
    source, out = arguments.checkpoint, arguments.out
    if out.suffix not in ENDINGS:
        raise UserError(f'{out}: the ending must be {" or ".join(ENDINGS)}.')
    checkpoint = load_checkpoint_file(source)
    weights = state_dict_of(checkpoint)
    prefix = arguments.prefix
    if arguments.which is not None:
        prefix = prefix_of(arguments.which, weights, source)

    from muscle_mm.models.backbone_init import extract_backbone, with_parts_of_task

    if arguments.task is not None:
        prefix = 'backbone.'
        weights = with_parts_of_task(weights, arguments.task, str(source))
    depth = depth_of(weights, prefix, source)
    backbone = build_resnet(arguments.layout, depth)
    extracted = extract_backbone(weights, backbone, str(source), prefix)
    provenance = {
        'architecture': f'ResNet-{depth}',
        'layout': arguments.layout,
        **({'encoder': arguments.which} if arguments.which else {}),
        **({'batch_norm_statistics_of': arguments.task} if arguments.task else {}),
        **provenance_of(checkpoint, source),
    }
    write_weights(out, extracted, provenance)
    print(f'{out}: ResNet-{depth}, {len(extracted)} tensors from {source}')


if __name__ == '__main__':
    run_command(main)

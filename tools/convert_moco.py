# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Rename a MoCo checkpoint: ``python tools/convert_moco.py CHECKPOINT OUT``.

From mmpretrain's or mmselfsup's MoCo to ``muscle_mm.MDMoCo``, or back: the direction shows in the
names. Load the result with ``--cfg-options load_from=OUT model.queue_len=N``; the networks of the
config must be those of the checkpoint.
"""

import argparse
from pathlib import Path

from muscle_mm.command_line.friendly_errors import run_command
from muscle_mm.utils.safe_loading import load_checkpoint_file, state_dict_of
from muscle_mm.utils.whole_file import whole_file


def parse_arguments() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The arguments.
    """
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('checkpoint', type=Path, help='checkpoint of MoCo or of MDMoCo')
    parser.add_argument('out', type=Path, help='file to write (.pth)')
    return parser.parse_args()


def main() -> None:
    """Convert."""
    arguments = parse_arguments()
    weights = state_dict_of(load_checkpoint_file(arguments.checkpoint))

    import torch

    from muscle_mm.models.moco_checkpoints import md_moco_to_moco, moco_to_md_moco

    is_ours = 'queue.keys' in weights
    convert = md_moco_to_moco if is_ours else moco_to_md_moco
    converted = convert(weights, str(arguments.checkpoint))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(arguments.out) as unfinished:
        torch.save({'state_dict': converted}, unfinished)
    queue_len = converted['queue'].size(1) if is_ours else converted['queue.keys'].size(0)
    print(
        f'{arguments.out}: {"MoCo" if is_ours else "muscle_mm.MDMoCo"}, {len(converted)} tensors, '
        f'queue_len={queue_len}'
    )


if __name__ == '__main__':
    run_command(main)

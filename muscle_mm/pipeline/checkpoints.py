# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Find the checkpoints that mmengine's runner has written."""

import re
from pathlib import Path

from muscle_mm.utils.errors import UserError

_PLACEHOLDER = re.compile(r'\{(last|best):([^{}]+)\}')


def last_checkpoint(work_dir: Path) -> Path:
    """Find the checkpoint that training wrote last.

    Args:
        work_dir (Path): Work directory of a training run.

    Returns:
        Path: The checkpoint.

    Raises:
        UserError: If there is none.
    """
    pointer = work_dir / 'last_checkpoint'
    if pointer.is_file():
        # Only the name counts, so that a work directory may be moved.
        checkpoint = work_dir / Path(pointer.read_text().strip()).name
        if checkpoint.is_file():
            return checkpoint
    raise UserError(
        f'{work_dir} holds no checkpoint (no last_checkpoint file). The training there has not '
        'finished: run it first.'
    )


def best_checkpoint(work_dir: Path) -> Path:
    """Find the checkpoint with the best validation score, or the last one where none was chosen.

    Args:
        work_dir (Path): Work directory of a training run.

    Returns:
        Path: The checkpoint.

    Raises:
        UserError: If there is none.
    """
    best = sorted(work_dir.glob('best_*.pth'), key=lambda path: path.stat().st_mtime)
    return best[-1] if best else last_checkpoint(work_dir)


def fill_in_checkpoints(argument: str) -> str:
    """Replace ``{last:DIR}`` and ``{best:DIR}`` in an argument of a command.

    Args:
        argument (str): The argument.

    Returns:
        str: The argument with the paths of checkpoints.

    Raises:
        UserError: If there is no such checkpoint.
    """
    find = {'last': last_checkpoint, 'best': best_checkpoint}
    return _PLACEHOLDER.sub(lambda match: str(find[match[1]](Path(match[2]))), argument)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The file from which the configs take mean and standard deviation."""

from __future__ import annotations

import sys
from pathlib import Path

from muscle_mm.datasets.statistics.data_statistics import DataStatistics
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.whole_file import whole_file

_FRAGMENT = '''\
"""Mean and standard deviation of the grey values of the training films, on the 0-255 scale.

One statistic for the shared backbone: steps 1 to 3 must normalise in the same way.
Written by tools/compute_stats.py; each film counts equally:
{sets}
"""

mean = float('{{{{$MUSCLE_MEAN:{mean:.4f}}}}}')
std = float('{{{{$MUSCLE_STD:{std:.4f}}}}}')
'''


def check_fragment_path(path: Path) -> None:
    """Refuse a path that cannot be written, before hours of reading.

    Args:
        path (Path): The file.

    Raises:
        UserError: If it is no Python file or would hide a module of Python, or its folder is
            missing.
    """
    if path.suffix != '.py':
        raise UserError(f'--out {path} must be a Python config: its name ends in .py.')
    if path.stem in sys.stdlib_module_names:
        raise UserError(
            f"--out {path} would hide Python's own module {path.stem} from programs started in "
            'its folder. Choose another name, for example normalisation.py.'
        )
    if path.is_dir():
        raise UserError(f'--out {path} is a folder, expected a file.')
    if not path.parent.is_dir():
        raise UserError(f'--out {path}: the folder {path.parent} does not exist. Make it first.')


def write_fragment(path: Path, statistics: DataStatistics) -> None:
    """Write the fragment; the configs read ``configs/_base_/normalisation.py``.

    Args:
        path (Path): The file. An interruption leaves the old one in place.
        statistics (DataStatistics): What was measured.

    Raises:
        UserError: If it cannot be written, or all pixels have one value.
    """
    check_fragment_path(path)
    together = statistics.together
    if not together.std > 0:
        raise UserError('all pixels of all training films are equal: there is nothing to learn.')
    sets = ''.join(f'- {one.name}: {one.images:,} films\n' for one in statistics.sets)
    # What a user calls a set must not end the text.
    sets = sets.encode('ascii', 'replace').decode().replace('\\', '/').replace('"', "'").rstrip()
    text = _FRAGMENT.format(sets=sets, mean=together.mean, std=together.std)
    try:
        with whole_file(path) as unfinished:
            unfinished.write_text(text, encoding='ascii')
    except OSError as error:
        raise UserError(f'--out {path} cannot be written ({error.strerror}).') from error

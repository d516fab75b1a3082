# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Which state of this package is running."""

import subprocess
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def git_revision(folder: Path = PACKAGE) -> str:
    """Ask git for the commit that a folder is at.

    Args:
        folder (Path): A folder in a git repository. Defaults to this package's.

    Returns:
        str: The commit's hash, with ``-dirty`` where files differ from it; 'unknown' without git or
        where git does not keep the folder (an installed package).
    """
    try:
        for command in (
            ('ls-files', '--error-unmatch', '.'),
            ('describe', '--always', '--abbrev=40', '--exclude=*', '--dirty'),
        ):
            done = subprocess.run(
                ['git', *command], cwd=folder, capture_output=True, text=True, timeout=30
            )
            if done.returncode != 0:
                return 'unknown'
    except (OSError, subprocess.TimeoutExpired):
        return 'unknown'
    return done.stdout.strip()

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Trainings as jobs of a Slurm cluster."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import muscle_mm

_TOOL = Path(muscle_mm.__file__).resolve().parents[1] / 'tools' / 'slurm_train.sh'


def slurm_command(command: Sequence[str], partition: str, job_name: str) -> list[str]:
    """Send a training through ``tools/slurm_train.sh``, which waits for its end.

    Args:
        command (Sequence[str]): Python, a toolbox's ``train.py``, config, ``--work-dir``, folder,
            and further options.
        partition (str): The cluster's partition.
        job_name (str): Name of the job.

    Returns:
        list[str]: The command.
    """
    config, _, work_dir, *options = command[2:]
    return ['bash', str(_TOOL), partition, job_name, config, work_dir, *options]


def slurm_environment() -> dict[str, str]:
    """Ask for one GPU, as the names of the published configs say, unless told otherwise.

    Returns:
        dict[str, str]: Variables of ``tools/slurm_train.sh``: ``GPUS``, ``GPUS_PER_NODE`` and
        ``PYTHON`` where the environment has none.
    """
    defaults = {'GPUS': '1', 'GPUS_PER_NODE': '1', 'PYTHON': sys.executable}
    return {name: os.environ.get(name, value) for name, value in defaults.items()}

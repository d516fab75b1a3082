# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Read what mmengine logged while it trained."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Scalars:
    """The log of one training.

    Attributes:
        train (list[dict]): One record for each logged training iteration, with ``step``
            (iteration).
        val (list[dict]): One record for each validation, with ``step`` (iteration).
    """

    train: list[dict[str, Any]] = field(default_factory=list)
    val: list[dict[str, Any]] = field(default_factory=list)

    def curve(self, key: str, part: str = 'train') -> tuple[list[int], list[float]]:
        """Take one curve.

        Args:
            key (str): Name of the value, for example ``'loss'``.
            part (str): ``'train'`` or ``'val'``. Defaults to 'train'.

        Returns:
            tuple[list[int], list[float]]: Iterations and values.
        """
        records = [record for record in getattr(self, part) if key in record]
        return [record['step'] for record in records], [record[key] for record in records]


def read_scalars(work_dir: Path) -> Scalars:
    """Read and join the logs of a training and of its continuations.

    A continuation repeats the iterations between the last checkpoint and the interruption; of these
    the later log counts.

    Args:
        work_dir (Path): Work directory of mmengine's runner.

    Returns:
        Scalars: The log; empty if there is none.
    """
    joined = Scalars()
    # A continuation begins with the validation of an epoch that it has not trained itself.
    epoch_ends: dict[int, int] = {}
    for path in sorted(work_dir.glob('*/vis_data/scalars.json')):
        run = _read_run(path, epoch_ends)
        if run.train:
            first = run.train[0]['step']
            joined.train = [record for record in joined.train if record['step'] < first]
        again = min((record['step'] for record in run.train[:1] + run.val[:1]), default=None)
        if again is not None:
            joined.val = [record for record in joined.val if record['step'] < again]
        joined.train += run.train
        joined.val += run.val
    return joined


def _read_run(path: Path, epoch_ends: dict[int, int]) -> Scalars:
    """Read one log, and note at which iterations its epochs end."""
    run = Scalars()
    for line in path.read_text().splitlines():
        try:
            record = json.loads(line)
        except ValueError:  # the run was interrupted while it wrote
            continue
        if 'lr' in record:
            run.train.append(record)
            if 'epoch' in record:
                epoch_ends[record['epoch']] = record['step']
        elif 'step' in record:
            run.val.append(record)
    if epoch_ends:
        # Epoch-based trainings count validations in epochs.
        for record in run.val:
            record['step'] = epoch_ends.get(record['step'], record['step'])
    return run

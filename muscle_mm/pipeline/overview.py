# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What a study would run, what it has done, and how long the rest will take."""

import shlex
from collections.abc import Mapping, Sequence

from muscle_mm.pipeline.estimate import Estimate, estimate
from muscle_mm.pipeline.ledger import Ledger
from muscle_mm.pipeline.output import duration
from muscle_mm.pipeline.slurm import slurm_command
from muscle_mm.pipeline.stage import Stage


def overview(
    stages: Sequence[Stage],
    ledger: Ledger,
    rates: Mapping[str, float],
    jobs: int,
    partition: str | None = None,
) -> str:
    """List the stages with their states, times and commands, and sum up the times.

    Args:
        stages (Sequence[Stage]): The stages, each after those it needs.
        ledger (Ledger): What is done.
        rates (Mapping[str, float]): Measured seconds of a training iteration of each kind.
        jobs (int): Stages at the same time.
        partition (str, optional): Partition of a Slurm cluster. Defaults to None: none.

    Returns:
        str: The list.
    """
    durations = ledger.durations()
    lines: list[str] = []
    done: set[str] = set()
    # Stages of a kind take equally long, and counting films takes a while.
    times: dict[str, Estimate] = {}
    total, unknown, iterations_alone = 0.0, [], False
    for stage in stages:
        # What follows a stage that runs again runs again as well.
        if ledger.is_done(stage) and done.issuperset(stage.after):
            done.add(stage.name)
            lines.append(f'# {stage.title}: done')
            continue
        state = 'to go on' if ledger.was_interrupted(stage) else 'to do'
        if not stage.kind or stage.kind not in times:
            times[stage.kind] = estimate(stage, durations, rates)
        time = times[stage.kind]
        if time.seconds is None:
            unknown.append(stage)
            lines.append(f'# {stage.title}: {state} ({time.basis})')
        else:
            total += time.seconds
            iterations_alone |= stage.kind not in durations
            lines.append(f'# {stage.title}: {state}, {duration(time.seconds)} ({time.basis})')
        command = list(stage.command)
        if partition is not None and stage.config is not None:
            command = slurm_command(command, partition, stage.name.replace('/', '-'))
        lines.append(shlex.join(command))
    left = len(stages) - len(done)
    lines += ['', f'{len(done)} of {len(stages)} stages are done.']
    if left > len(unknown):
        lines.append(
            f'{left - len(unknown)} of the others: {duration(total)} one after another, at least '
            f'{duration(total / jobs)} with {jobs} at a time. From rates of this folder; another '
            'machine or load has others.'
        )
    if iterations_alone:
        lines.append('Times from iterations leave out start, validation and test.')
    trainings = sum(stage.config is not None for stage in unknown)
    if unknown:
        lines.append(
            f'Without a time: {len(unknown)}'
            + (
                f', {trainings} of them trainings: --measure trains a few iterations of each kind.'
                if trainings
                else '.'
            )
        )
    return '\n'.join(lines)

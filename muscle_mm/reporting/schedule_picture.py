# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Picture of a schedule: which task is trained when, and how fast."""

from collections.abc import Mapping
from pathlib import Path

from muscle_mm.reporting.labels import TASK_TITLES
from muscle_mm.reporting.schedule_plan import SchedulePlan
from muscle_mm.reporting.style import COLOURS, figure


def draw_schedule(plan: SchedulePlan, path: Path, titles: Mapping[str, str] = TASK_TITLES) -> None:
    """Draw tasks over time, and the learning rate under them.

    Args:
        plan (SchedulePlan): The schedule.
        path (Path): The picture, a PNG.
        titles (Mapping[str, str]): Titles of the tasks. Defaults to those of the published table.
    """
    tasks = list(plan.sizes)
    last = plan.visits[-1].end
    with figure(path, 2, 1, (11.0, 2.6)) as axes:
        lanes, rates = axes[:, 0]
        for visit in plan.visits:
            row = tasks.index(visit.task)
            # The gap keeps two visits of one task in a row apart.
            lanes.broken_barh(
                [(visit.begin, visit.length)],
                (row - 0.38, 0.76),
                facecolor=COLOURS[row % len(COLOURS)],
                edgecolor='white',
                linewidth=1,
            )
        lanes.set_yticks(range(len(tasks)), [titles.get(task, task) for task in tasks])
        lanes.set_ylim(len(tasks) - 0.4, -0.6)
        lanes.tick_params(labelbottom=False)
        rates.plot(range(last), plan.rates, color='black', linewidth=1.5)
        rates.set_ylim(0, max(plan.rates) * 1.08)
        rates.ticklabel_format(axis='y', style='sci', scilimits=(-2, 3))
        rates.set_ylabel('learning rate')
        rates.set_xlabel('iteration')
        for axis in (lanes, rates):
            axis.set_xlim(0, last)
            for visit, next_visit in zip(plan.visits, plan.visits[1:], strict=False):
                if next_visit.round != visit.round:
                    axis.axvline(visit.end, color='grey', linestyle='--', linewidth=1)
        for round in sorted({visit.round for visit in plan.visits}):
            own = [visit for visit in plan.visits if visit.round == round]
            lanes.text(
                (own[0].begin + own[-1].end) / 2,
                1.02,
                f'round {round + 1}',
                transform=lanes.get_xaxis_transform(),
                ha='center',
                va='bottom',
            )

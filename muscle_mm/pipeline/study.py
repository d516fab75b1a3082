# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What a study consists of."""

from dataclasses import dataclass
from pathlib import Path

from muscle_mm.pipeline.budgets import BUDGETS
from muscle_mm.pipeline.steps import BACKBONES, INITIALISATIONS, TASKS
from muscle_mm.pipeline.study_data import StudyData
from muscle_mm.utils.errors import UserError


@dataclass(frozen=True)
class Study:
    """Backbones x initialisations x tasks x seeds, on some films, with a budget.

    Attributes:
        out (Path): Folder of the study.
        data (StudyData): The films.
        budget (str): One of ``BUDGETS``.
        backbones (tuple[int, ...]): Depths of the ResNets.
        initialisations (tuple[str, ...]): What the tasks are fine-tuned from.
        tasks (tuple[str, ...]): What is fine-tuned and tested.
        seeds (tuple[int, ...]): Of all that is random, in pre-training and fine-tuning alike.
        imagenet (Path, optional): Folder with torchvision's files; None looks into torch.hub's
            cache. Defaults to None.
    """

    out: Path
    data: StudyData
    budget: str
    backbones: tuple[int, ...] = (18,)
    initialisations: tuple[str, ...] = tuple(INITIALISATIONS)
    tasks: tuple[str, ...] = TASKS
    seeds: tuple[int, ...] = (0,)
    imagenet: Path | None = None

    @property
    def settings(self) -> dict[str, str]:
        """dict[str, str]: What all results in its folder have in common."""
        return {'data': self.data.name, 'budget': self.budget}

    def __post_init__(self) -> None:
        """Refuse what there is no config for.

        Raises:
            UserError: If a choice is unknown or made twice, or the full budget lacks its films.
        """
        for name, chosen, known in (
            ('--budget', (self.budget,), tuple(BUDGETS)),
            ('--backbones', self.backbones, BACKBONES),
            ('--inits', self.initialisations, tuple(INITIALISATIONS)),
            ('--tasks', self.tasks, TASKS),
            ('--seeds', self.seeds, None),
        ):
            unknown = [value for value in chosen if known is not None and value not in known]
            if unknown:
                raise UserError(
                    f'{name} {unknown[0]}: unknown. Choose from {", ".join(map(str, known or ()))}.'
                )
            if not chosen or len(set(chosen)) < len(chosen):
                raise UserError(f'{name}: give at least one, and each once.')
        if self.budget == 'full' and (self.data.phantoms or not self.data.nine_sets):
            raise UserError(
                '--budget full trains the published configs: it needs the nine public sets, '
                'prepared, as --data DIR. For other films take small or tiny.'
            )

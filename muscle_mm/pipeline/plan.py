# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The stages of a study."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from muscle_mm.pipeline.budgets import BUDGETS
from muscle_mm.pipeline.stage import Stage
from muscle_mm.pipeline.steps import PRETRAINING, REPOSITORY, TOOLBOXES, config_path, stock_tool
from muscle_mm.pipeline.study import Study
from muscle_mm.reporting.labels import INITIALISATION_LABELS
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.published_weights import PREFIX, published_file

#: The real films' two kinds of boxes are the left and the right lung, which a flip would mix up.
_NO_FLIP = {
    'muscle_minus_minus': 'train_dataloader.dataset.datasets.tbx.pipeline.3.prob=0.0',
    'muscle': 'train_dataloader.dataset.datasets.tbx.pipeline.3.prob=0.0',
    'tbx': 'train_dataloader.dataset.pipeline.3.prob=0.0',
}


@dataclass
class Plan:
    """What a study runs, and what it leaves out.

    Attributes:
        stages (list[Stage]): The stages, each after those it needs.
        notes (list[str]): What was asked for and is left out, and why.
    """

    stages: list[Stage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def make_plan(study: Study) -> Plan:
    """List the stages of a study: data, and for each seed and backbone steps 1 to 3; report.

    Only the pre-training that a chosen initialisation needs is planned. ImageNet is left out, with
    a note, where the weights are not at hand.

    Args:
        study (Study): The study.

    Returns:
        Plan: The stages and notes.

    Raises:
        UserError: If a toolbox is not installed, or nothing is left.
    """
    plan = Plan()
    if study.data.preparation:
        plan.stages.append(_data_stage(study))
    cells: list[Stage] = []
    starts = {depth: _starts(study, depth, plan) for depth in study.backbones}
    for seed in study.seeds:
        for depth in study.backbones:
            plan.stages += _pretraining(study, depth, seed)
            for initialisation, checkpoint in starts[depth].items():
                # Detection takes longest: started last, it would run alone at the end.
                for task in reversed(study.tasks):
                    cells.append(_cell(study, task, depth, initialisation, seed, checkpoint))
                    plan.stages.append(cells[-1])
    if not cells:
        raise UserError('\n'.join(['there is nothing to fine-tune.', *plan.notes]))
    plan.stages.append(_report_stage(study, tuple(cell.name for cell in cells)))
    return plan


def _starts(study: Study, depth: int, plan: Plan) -> dict[str, str | None]:
    """Find the checkpoint of each initialisation; of those that are trained it is yet to be made.

    Returns:
        dict[str, str | None]: None for all but ImageNet.
    """
    found: dict[str, str | None] = dict.fromkeys(study.initialisations)
    if 'imagenet' in found:
        path = published_file(f'resnet{depth}')
        if study.imagenet is not None:
            path = study.imagenet.absolute() / path.name
        # By its own name the file's hash is checked.
        found['imagenet'] = f'{PREFIX}resnet{depth}' if study.imagenet is None else str(path)
        if not path.is_file():
            del found['imagenet']
            plan.notes.append(
                f"ResNet-{depth} from ImageNet is left out: {path} is not there. Put torchvision's "
                'file there, or name its folder by --imagenet DIR, and the same command adds these '
                'cells.'
            )
    return found


def _environment(study: Study) -> dict[str, str]:
    return {'MUSCLE_DATA_ROOT': str(study.data.root), **BUDGETS[study.budget].environment}


def _data_stage(study: Study) -> Stage:
    package = REPOSITORY / 'muscle_mm'
    return Stage(
        name='data',
        title='draw phantom films in nine sets'
        if study.data.phantoms
        else 'prepare the real films',
        command=(
            *(sys.executable, '-m', 'muscle_mm.pipeline.prepare_data'),
            *study.data.preparation,
        ),
        work_dir=study.data.root,
        code=(
            package / 'datasets',
            package / 'phantoms',
            package / 'pipeline' / 'prepare_data.py',
        ),
        kind='data',
        lasting=True,
        alone=True,
        show_all=True,
    )


def _pretrain_dir(study: Study, step: str, depth: int, seed: int) -> Path:
    return study.out.absolute() / 'pretrain' / f'resnet{depth}' / f'seed{seed}' / step


def _pretraining(study: Study, depth: int, seed: int) -> list[Stage]:
    """Plan step 1, and step 2 from it, as far as an initialisation needs them."""
    wanted = [step for step in PRETRAINING if step in study.initialisations]
    steps = list(dict.fromkeys(['md_moco', *wanted])) if wanted else []
    stages: list[Stage] = []
    for step in steps:
        options = []
        if step != 'md_moco':
            # The order of visits and batches is another one with each seed.
            start = _pretrain_dir(study, 'md_moco', depth, seed)
            options = [
                f'train_dataloader.batch_sampler.seed={seed}',
                f'model.backbone.init_cfg.checkpoint={{last:{start}}}',
            ]
        work_dir = _pretrain_dir(study, step, depth, seed)
        number = 1 if step == 'md_moco' else 2
        stages.append(
            Stage(
                name=_name(study, work_dir),
                title=f'step {number}: {INITIALISATION_LABELS[step]}, ResNet-{depth}, seed {seed}',
                after=_data(study) if step == 'md_moco' else (stages[0].name,),
                kind=f'{step}/resnet{depth}',
                **_training(study, step, depth, seed, work_dir, options),
            )
        )
    return stages


def _cell(
    study: Study, task: str, depth: int, initialisation: str, seed: int, checkpoint: str | None
) -> Stage:
    """Plan one cell of the table: training, at whose end the best model is tested."""
    after = _data(study)
    if initialisation not in ('scratch', 'imagenet'):
        # The last checkpoint of step 2, not its best: MUSCLE-- is what naive learning ends with.
        pretraining = _pretrain_dir(study, initialisation, depth, seed)
        after, checkpoint = (_name(study, pretraining),), f'{{last:{pretraining}}}'
    options = []
    if checkpoint is not None:
        options.append(f'model.backbone.init_cfg.checkpoint={checkpoint}')
    work_dir = study.out.absolute() / 'finetune' / task / f'resnet{depth}' / initialisation
    work_dir /= f'seed{seed}'
    label = INITIALISATION_LABELS[initialisation]
    return Stage(
        name=_name(study, work_dir),
        title=f'step 3: {task}, ResNet-{depth} from {label}, seed {seed}',
        after=after,
        kind=f'{task}/resnet{depth}',
        **_training(study, task, depth, seed, work_dir, options, initialisation),
    )


def _data(study: Study) -> tuple[str, ...]:
    return ('data',) if study.data.preparation else ()


def _name(study: Study, work_dir: Path) -> str:
    return work_dir.relative_to(study.out.absolute()).as_posix()


def _training(
    study: Study,
    step: str,
    depth: int,
    seed: int,
    work_dir: Path,
    options: list[str],
    initialisation: str = 'scratch',
) -> dict[str, Any]:
    """Give what all trainings have in common, as arguments of a stage."""
    config = config_path(step, depth, initialisation, study.data.nine_sets)
    options = [
        f'randomness.seed={seed}',
        *BUDGETS[study.budget].options.get(step, ()),
        *options,
    ]
    if not study.data.nine_sets and step in _NO_FLIP:
        options.append(_NO_FLIP[step])
    return dict(
        command=(
            *(sys.executable, str(stock_tool(TOOLBOXES[step], 'train.py')), str(config)),
            *('--work-dir', str(work_dir), '--cfg-options', *options),
        ),
        work_dir=work_dir,
        config=config,
        environment=_environment(study),
        resume_options=('--resume',),
    )


def _report_stage(study: Study, cells: tuple[str, ...]) -> Stage:
    out = study.out.absolute()
    note = f'Budget: {study.budget}.'
    titles: tuple[str, ...] = ()
    if study.data.phantoms:
        note += ' Phantom films: they show that the code works, nothing about medicine.'
    elif not study.data.nine_sets:
        # The films that stand in for MURA and TBX11K, see prepare_data.py.
        titles = ('--titles', 'mura=Knee', 'tbx=Lung boxes')
    return Stage(
        name='report',
        title='write tables and pictures',
        command=(
            *(sys.executable, str(REPOSITORY / 'tools' / 'report.py'), str(out)),
            *('--out', str(out / 'report'), '--quiet', *titles, '--note', note),
        ),
        after=cells,
        work_dir=out / 'report',
        environment=_environment(study),
        kind='report',
        alone=True,
        tolerant=True,
    )

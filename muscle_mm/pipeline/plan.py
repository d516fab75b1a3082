# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The stages of the two pipelines: on phantoms, and on the real development films."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import muscle_mm
from muscle_mm.pipeline.budgets import BUDGETS
from muscle_mm.pipeline.stage import Stage
from muscle_mm.reporting.labels import INITIALISATION_LABELS
from muscle_mm.utils.errors import UserError

REPOSITORY = Path(muscle_mm.__file__).resolve().parents[1]

#: step -> (toolbox whose tools run it, config below configs/)
STEPS = {
    'md_moco': ('mmpretrain', 'md_moco/md-moco_resnet18_1xb128-200e_xray9-224px.py'),
    'continual': ('mmpretrain', 'continual/muscle_resnet18_3rounds_xray4.py'),
    'continual_minus_minus': (
        'mmpretrain',
        'continual/muscle-minus-minus_resnet18_1round_xray4.py',
    ),
    'pneumonia': ('mmpretrain', 'finetune/pneumonia/fc_resnet18_1xb32-50e_pneumonia-224px.py'),
    'mura': ('mmpretrain', 'finetune/mura/fc_resnet18_1xb32-50e_mura-224px.py'),
    'lung': ('mmseg', 'finetune/lung/deeplabv3_resnet18_1xb8-50e_lung-224px.py'),
    'tbx': ('mmdet', 'finetune/tbx/faster-rcnn_resnet18-fpn_1xb8-50e_tbx-512px.py'),
}
#: The real films are other sets than the nine.
REAL_MD_MOCO = 'md_moco/md-moco_resnet18_1xb128-200e_folders-224px.py'
TASKS = ('pneumonia', 'mura', 'lung', 'tbx')
#: initialisation -> step whose last checkpoint it is, None for Kaiming
INITIALISATIONS: dict[str, str | None] = {
    'scratch': None,
    'md_moco': 'md_moco',
    'muscle_minus_minus': 'continual_minus_minus',
    'muscle': 'continual',
}


def make_plan(
    pipeline: str,
    out: Path,
    source: Path | None = None,
    initialisations: Sequence[str] = ('scratch', 'muscle'),
    seed: int = 0,
) -> list[Stage]:
    """List the stages of a pipeline.

    Args:
        pipeline (str): ``'demo'`` (phantoms) or ``'real'`` (a folder of real films).
        out (Path): Folder for everything that is written.
        source (Path, optional): The real films; must be given for ``'real'``. Defaults to None.
        initialisations (Sequence[str]): Backbones to fine-tune from, a choice of
            ``INITIALISATIONS``. Defaults to ('scratch', 'muscle').
        seed (int): Seed of all training. Defaults to 0.

    Returns:
        list[Stage]: The stages, each after those it needs.

    Raises:
        UserError: If the pipeline or an initialisation is unknown, or the films are missing.
    """
    if pipeline not in ('demo', 'real'):
        raise UserError(f"pipeline {pipeline!r} is unknown: choose 'demo' or 'real'.")
    unknown = [name for name in initialisations if name not in INITIALISATIONS]
    if unknown:
        raise UserError(
            f'initialisation {unknown[0]!r} is unknown. Choose from {", ".join(INITIALISATIONS)}.'
        )
    if pipeline == 'real' and (source is None or not source.is_dir()):
        raise UserError(
            f'the folder of real films {source} does not exist. Name it with --data DIR; its '
            'layout is described in muscle_mm/pipeline/prepare_data.py.'
        )
    out = out.absolute()
    data = out / 'data'
    stages = [_data_stage(pipeline, data, source)]
    needed = {INITIALISATIONS[name] for name in initialisations}
    if needed - {None}:
        stages.append(_pretraining('md_moco', 'step 1: MD-MoCo', pipeline, out, seed, ('data',)))
    for step, name in (('continual_minus_minus', 'MUSCLE--'), ('continual', 'MUSCLE')):
        if step not in needed:
            continue
        stages.append(
            _pretraining(
                step,
                f'step 2: continual multi-task learning, {name}',
                pipeline,
                out,
                seed,
                ('md_moco',),
                checkpoint=f'{{last:{out / "md_moco"}}}',
            )
        )
    for task in TASKS:
        for initialisation in initialisations:
            stages.append(_cell(task, initialisation, pipeline, out, seed))
    cells = tuple(stage.name for stage in stages if stage.name.startswith('finetune/'))
    stages.append(_report_stage(pipeline, out, cells))
    return stages


def stock_tool(toolbox: str, name: str) -> Path:
    """Find a toolbox's own tool inside the installed package.

    Args:
        toolbox (str): Import name, for example ``'mmseg'``.
        name (str): File name, for example ``'train.py'``.

    Returns:
        Path: The tool.

    Raises:
        UserError: If the toolbox is not installed, or came without its tools.
    """
    spec = find_spec(toolbox)
    if spec is None or not spec.submodule_search_locations:
        raise UserError(f'the package {toolbox} is not installed. `make install` installs it.')
    tool = Path(spec.submodule_search_locations[0]) / '.mim' / 'tools' / name
    if not tool.is_file():
        raise UserError(
            f'{tool} does not exist: this installation of {toolbox} came without its tools. '
            'Install it from PyPI (`make install`).'
        )
    return tool


def _environment(pipeline: str, out: Path) -> dict[str, str]:
    return {'MUSCLE_DATA_ROOT': str(out / 'data'), **BUDGETS[pipeline].environment}


def _config(step: str, pipeline: str) -> Path:
    config = REAL_MD_MOCO if (step, pipeline) == ('md_moco', 'real') else STEPS[step][1]
    return REPOSITORY / 'configs' / config


def _data_stage(pipeline: str, data: Path, source: Path | None) -> Stage:
    package = REPOSITORY / 'muscle_mm'
    command = [sys.executable, '-m', 'muscle_mm.pipeline.prepare_data', pipeline, str(data)]
    if source is not None:
        command.append(str(source.absolute()))
    title = 'draw phantom films in nine sets' if pipeline == 'demo' else 'prepare the real films'
    return Stage(
        name='data',
        title=title,
        command=tuple(command),
        work_dir=data,
        code=(package / 'datasets', package / 'phantoms', package / 'pipeline'),
        lasting=True,
        alone=True,
        show_all=True,
    )


def _train_command(
    step: str, pipeline: str, work_dir: Path, seed: int, checkpoint: str | None
) -> tuple[str, ...]:
    options = [f'randomness.seed={seed}', *BUDGETS[pipeline].options[step]]
    if checkpoint is not None:
        options.append(f'model.backbone.init_cfg.checkpoint={checkpoint}')
    return (
        sys.executable,
        str(stock_tool(STEPS[step][0], 'train.py')),
        str(_config(step, pipeline)),
        '--work-dir',
        str(work_dir),
        '--cfg-options',
        *options,
    )


def _pretraining(
    step: str,
    title: str,
    pipeline: str,
    out: Path,
    seed: int,
    after: tuple[str, ...],
    checkpoint: str | None = None,
) -> Stage:
    return Stage(
        name=step,
        title=title,
        command=_train_command(step, pipeline, out / step, seed, checkpoint),
        after=after,
        work_dir=out / step,
        config=_config(step, pipeline),
        environment=_environment(pipeline, out),
        resume_options=('--resume',),
        alone=True,
    )


def _cell(task: str, initialisation: str, pipeline: str, out: Path, seed: int) -> Stage:
    """Make one cell of the table: training, at whose end the best model is tested."""
    work_dir = out / 'finetune' / task / initialisation / f'seed{seed}'
    step = INITIALISATIONS[initialisation]
    checkpoint = f'{{last:{out / step}}}' if step else None
    return Stage(
        name=f'finetune/{task}/{initialisation}',
        title=f'step 3: fine-tune {task} from {INITIALISATION_LABELS[initialisation]}',
        command=_train_command(task, pipeline, work_dir, seed, checkpoint),
        after=(step or 'data',),
        work_dir=work_dir,
        config=_config(task, pipeline),
        environment=_environment(pipeline, out),
        resume_options=('--resume',),
    )


def _report_stage(pipeline: str, out: Path, after: tuple[str, ...]) -> Stage:
    command = [
        sys.executable,
        str(REPOSITORY / 'tools' / 'report.py'),
        str(out),
        '--out',
        str(out / 'report'),
        '--quiet',
    ]
    if pipeline == 'demo':
        command += [
            '--note',
            'Phantom films: they show that the code works, nothing about medicine.',
        ]
    else:
        # The films that stand in for MURA and TBX11K, see prepare_data.py.
        command += ['--titles', 'mura=Knee', 'tbx=Lung boxes']
    return Stage(
        name='report',
        title='write tables and pictures',
        command=tuple(command),
        after=after,
        work_dir=out / 'report',
        environment=_environment(pipeline, out),
        alone=True,
    )

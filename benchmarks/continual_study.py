# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
r"""Which memory, which BatchNorm policy, which schedule? The ablation of step 2 on real films.

Every variant is a published config below ``configs/continual/``, starts from the same MD-MoCo
checkpoint, and trains every task for the same number of iterations: ``--rounds`` visits of
``--iterations`` each, or in the plain schedule one visit as long as all of them. After each visit
all tasks are scored on validation, which gives forgetting and backward transfer; the last
checkpoint is tested. What is chosen is chosen on validation, what is reported is test.

    python benchmarks/real_films.py DATA FILMS
    python benchmarks/continual_study.py --data DATA --out OUT

Trainings run side by side on one thread each, by ``tools/train.py`` and ``tools/test.py``. What is
interrupted goes on from its last checkpoint; what is finished is kept. The tables are written by
``continual_study_tables.py``, which shows what there is at any time.
"""

import argparse
import sys
from pathlib import Path

from continual_study_tables import write_tables
from mmengine.config import Config

from muscle_mm.command_line.friendly_errors import run_command
from muscle_mm.pipeline.ledger import Ledger
from muscle_mm.pipeline.runner import PipelineRunner
from muscle_mm.pipeline.settings import keep_settings
from muscle_mm.pipeline.stage import Stage
from muscle_mm.pipeline.steps import REPOSITORY, config_path
from muscle_mm.utils.processors import available_processors

VARIANTS = {
    'MUSCLE': 'muscle_resnet18_3rounds_xray4.py',
    'MUSCLE--': 'muscle-minus-minus_resnet18_1round_xray4.py',
    'memory only': 'ablation/memory-only_resnet18_1round_xray4.py',
    'schedule only': 'ablation/schedule-only_resnet18_3rounds_xray4.py',
    'EMA teacher': 'ablation/ema-teacher_resnet18_3rounds_xray4.py',
    'weight anchor': 'ablation/weight-anchor_resnet18_3rounds_xray4.py',
    'EWC': 'ablation/ewc_resnet18_3rounds_xray4.py',
    'frozen BatchNorm': 'ablation/batch-norm-frozen_resnet18_3rounds_xray4.py',
    'shared BatchNorm': 'ablation/batch-norm-shared_resnet18_3rounds_xray4.py',
}
"""Config below configs/continual/ of each variant."""

TASKS = ('pneumonia', 'mura', 'lung', 'tbx')
BATCH_SIZES = {'pneumonia': 32, 'mura': 32, 'lung': 8, 'tbx': 8}


def loader_options(*names: str) -> list[str]:
    """Load in the training process itself: one process a training, one core each."""
    return [
        option
        for name in names
        for option in (
            f'{name}_dataloader.num_workers=0',
            f'{name}_dataloader.persistent_workers=False',
            f'{name}_dataloader.pin_memory=False',
        )
    ]


def environment_of(args: argparse.Namespace) -> dict[str, str]:
    """Tell the configs where the films are, and how large they are to be."""
    return {
        'MUSCLE_DATA_ROOT': str(args.data.absolute()),
        'MUSCLE_IMAGE_SIZE': str(args.image_size),
        'MUSCLE_DETECTION_SIZE': str(args.detection_size),
    }


def md_moco_stage(args: argparse.Namespace) -> Stage:
    """Train step 1, from which all variants start."""
    work_dir = args.out.absolute() / 'md_moco'
    config = config_path('md_moco', 18, nine_sets=False)
    options = [
        f'train_cfg.max_epochs={args.md_moco_epochs}',
        f'param_scheduler.1.end={args.md_moco_epochs}',
        'train_dataloader.batch_size=32',
        'model.queue_len=1024',
        'model.bn_splits=2',
        'model.momentum=0.99',
        'optim_wrapper.type=muscle_mm.BFloat16OptimWrapper',
        *loader_options('train'),
    ]
    return Stage(
        name='md_moco',
        title='step 1: MD-MoCo',
        command=(
            *(sys.executable, str(REPOSITORY / 'tools/train.py'), str(config)),
            *('--work-dir', str(work_dir), '--cfg-options', *options),
        ),
        work_dir=work_dir,
        config=config,
        environment=environment_of(args),
        resume_options=('--resume',),
    )


def variant_stages(variant: str, seed: int, args: argparse.Namespace) -> list[Stage]:
    """Train a variant with one seed, and test its last checkpoint.

    Args:
        variant (str): One of VARIANTS.
        seed (int): Of the schedule, the heads' weights and all that is random.
        args (argparse.Namespace): The command line.

    Returns:
        list[Stage]: Two stages.
    """
    config = REPOSITORY / 'configs/continual' / VARIANTS[variant]
    work_dir = args.out.absolute() / 'runs' / variant / f'seed{seed}'
    rounds = Config.fromfile(config).train_dataloader.batch_sampler.rounds
    visits = args.rounds if rounds > 1 else 1
    sampler = 'train_dataloader.batch_sampler'
    options = [
        f'randomness.seed={seed}',
        f'{sampler}.seed={seed}',
        f'{sampler}.rounds={visits}',
        *(
            f'{sampler}.iters_per_visit.{task}={args.iterations * args.rounds // visits}'
            for task in TASKS
        ),
        *(
            f'{name}_dataloader.batch_size.{task}={size}'
            for name in ('train', 'val', 'test')
            for task, size in BATCH_SIZES.items()
        ),
        # Left and right lungs are classes of their own here.
        'train_dataloader.dataset.datasets.tbx.pipeline.3.prob=0.0',
        'default_hooks.checkpoint.interval=100',
        *loader_options('train', 'val', 'test'),
        *(args.options or ()),
    ]
    start = args.checkpoint or f'{{last:{args.out.absolute() / "md_moco"}}}'
    train = Stage(
        name=f'runs/{variant}/seed{seed}',
        title=f'{variant}, seed {seed}',
        command=(
            *(sys.executable, str(REPOSITORY / 'tools/train.py'), str(config)),
            *('--work-dir', str(work_dir), '--cfg-options', *options),
            f'model.backbone.init_cfg.checkpoint={start}',
        ),
        after=() if args.checkpoint else ('md_moco',),
        work_dir=work_dir,
        config=config,
        environment=environment_of(args),
        resume_options=('--resume',),
    )
    test = Stage(
        name=f'test/{variant}/seed{seed}',
        title=f'{variant}, seed {seed}: test',
        command=(
            *(sys.executable, str(REPOSITORY / 'tools/test.py'), str(config)),
            *(f'{{last:{work_dir}}}', '--out', str(work_dir / 'test_metrics.json')),
            *('--work-dir', str(work_dir / 'test'), '--cfg-options', *options),
        ),
        after=(train.name,),
        config=config,
        environment=environment_of(args),
    )
    return [train, test]


def main() -> None:
    """Train, test, and write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--data', type=Path, required=True, help='what real_films.py has prepared')
    parser.add_argument('--out', type=Path, required=True, help='folder for everything written')
    parser.add_argument('--variants', nargs='+', choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument('--rounds', type=int, default=3, help='default: 3')
    parser.add_argument(
        '--iterations', type=int, default=25, help='of a visit, for each task (default: 25)'
    )
    parser.add_argument('--checkpoint', type=Path, help='of step 1 (default: trained here)')
    parser.add_argument('--md-moco-epochs', type=int, default=20, help='default: 20')
    parser.add_argument('--image-size', type=int, default=96, help='pixels (default: 96)')
    parser.add_argument('--detection-size', type=int, default=192, help='pixels (default: 192)')
    parser.add_argument('--jobs', type=int, default=available_processors(), help='default: cores')
    parser.add_argument('--options', nargs='+', help='further options of all variants: key=value')
    args = parser.parse_args()
    names = ('rounds', 'iterations', 'md_moco_epochs', 'image_size', 'detection_size', 'options')
    settings = {name: getattr(args, name) for name in names}
    keep_settings(args.out, settings)
    stages = [] if args.checkpoint else [md_moco_stage(args)]
    # Seed by seed, so that an early look sees every variant.
    for seed in args.seeds:
        for variant in args.variants:
            stages += variant_stages(variant, seed, args)
    ledger = Ledger(args.out / 'logs/state', stages)
    (args.out / 'logs').mkdir(exist_ok=True)
    PipelineRunner(stages, ledger, args.out / 'logs', args.jobs, REPOSITORY).run()
    print(write_tables(args.out, settings))


if __name__ == '__main__':
    run_command(main)

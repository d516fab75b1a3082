# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Does MD-MoCo, trained as long as two cores can, make better features than its rivals?

Every backbone is a ResNet-18 that saw the same number of films (iterations x batch size) at the
same size; it is frozen, and a linear probe and a vote of the nearest neighbours are fitted to its
features of the pneumonia training films and scored on those of validation and test together, which
nothing was chosen on. With all labels, and with those of a tenth and a twentieth of the patients
(five draws each, the same for every backbone).

- random: Kaiming initialisation, not trained.
- scratch_knee: trained with labels on another set (knee films), from scratch, equally long.
- scratch_pneumonia: trained with the very labels that are asked for, equally long: all of them,
  also where the probe is then given a part. A bound from above more than a rival.
- md_moco: step 1 on all training films without labels, pneumonia's among them.

An iteration of MD-MoCo costs more than one of Scratch: two views go through an encoder, one of them
without gradients. The table says the seconds.

    python -m muscle_mm.pipeline.prepare_data real DATA FILMS
    python benchmarks/md_moco_probe.py --data DATA --out OUT --iterations 2000

What is interrupted goes on from its last checkpoint; what is finished is kept.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config, DictAction
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner import Runner, set_random_seed

from muscle_mm.command_line.friendly_errors import run_command
from muscle_mm.datasets.whole_films import WholeFilms
from muscle_mm.evaluation import extract_features, representation_scores
from muscle_mm.models import extract_backbone
from muscle_mm.pipeline.plan import REAL_MD_MOCO, REPOSITORY, STEPS
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.safe_loading import load_checkpoint_file, state_dict_of
from muscle_mm.utils.whole_file import whole_file

ARMS = {
    'random': STEPS['pneumonia'][1],
    'scratch_knee': STEPS['mura'][1],
    'scratch_pneumonia': STEPS['pneumonia'][1],
    'md_moco': REAL_MD_MOCO,
}
"""Config below configs/ of each arm; of 'random' its backbone alone."""

SHARES = {'all': (1.0, 1), '10%': (0.1, 5), '5%': (0.05, 5)}
"""Share of the patients whose labels are given, and how often they are drawn."""

COLUMNS = {
    f'{what} {share}': (share, key)
    for what, key in (('linear AUC', 'linear_auc'), ('linear accuracy', 'linear_accuracy'))
    for share in SHARES
} | {
    'kNN AUC all': ('all', 'knn_auc'),
    'feature std': ('all', 'feature_std'),
    'effective rank': ('all', 'effective_rank'),
}
"""Header of each column: share of the labels and score."""


def config_of(arm: str, seed: int, args: argparse.Namespace) -> Config:
    """Read a published config and make it as long as all the others.

    Args:
        arm (str): One of ARMS.
        seed (int): Seed of the training.
        args (argparse.Namespace): The command line.

    Returns:
        Config: The config.
    """
    config = Config.fromfile(REPOSITORY / 'configs' / ARMS[arm])
    config.work_dir = str(args.out.absolute() / 'runs' / arm / f'seed{seed}')
    config.experiment_name = f'{arm}-seed{seed}'
    config.randomness = dict(seed=seed)
    config.train_cfg = dict(by_epoch=False, max_iters=args.iterations)
    config.log_processor = dict(by_epoch=False)
    config.param_scheduler = [
        dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=20),
        dict(
            type='CosineAnnealingLR',
            eta_min_ratio=0.01,
            by_epoch=False,
            begin=0,
            end=args.iterations,
        ),
    ]
    config.default_hooks.checkpoint = dict(
        type='CheckpointHook',
        by_epoch=False,
        interval=args.save_every,
        max_keep_ckpts=2,  # mmengine removes an old one before it writes the new one
    )
    config.default_hooks.logger.interval = 20
    config.train_dataloader.update(
        batch_size=args.batch_size,
        num_workers=args.workers,
        persistent_workers=args.workers > 0,
        pin_memory=False,
        sampler=dict(type='InfiniteSampler', shuffle=True),
    )
    for part in ('val', 'test'):
        for key in ('dataloader', 'evaluator', 'cfg'):
            config.pop(f'{part}_{key}', None)
    if arm == 'md_moco':
        config.merge_from_dict(
            {'model.queue_len': 1024, 'model.momentum': 0.99, **(args.md_moco_options or {})}
        )
    config.resume = True
    return config


def trained_backbone(arm: str, seed: int, args: argparse.Namespace) -> tuple[Any, float]:
    """Train a backbone, or read the one that was trained before.

    Args:
        arm (str): One of ARMS.
        seed (int): Seed of the training.
        args (argparse.Namespace): The command line.

    Returns:
        tuple[Any, float]: The backbone, and the seconds of its training (since the last
        interruption).
    """
    config = config_of(arm, seed, args)
    seconds = 0.0
    checkpoint = Path(config.work_dir) / f'iter_{args.iterations}.pth'
    if arm != 'random' and not checkpoint.is_file():
        started = time.monotonic()
        Runner.from_cfg(config).train()
        seconds = time.monotonic() - started
    set_random_seed(seed)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        backbone = MODELS.build(config.model.backbone)
    backbone.init_weights()
    if arm != 'random':
        weights = state_dict_of(load_checkpoint_file(checkpoint))
        backbone.load_state_dict(
            extract_backbone(weights, backbone, str(checkpoint), prefix='backbone.')
        )
    return backbone, seconds


def draw_patients(films: WholeFilms, share: float, draw: int) -> np.ndarray:
    """Draw a share of each class's patients.

    Args:
        films (WholeFilms): The films.
        share (float): Share of the patients.
        draw (int): Number of the draw.

    Returns:
        np.ndarray: Indices of these patients' films.
    """
    generator = np.random.default_rng(draw)
    patients = np.asarray(films.patients)
    chosen: list[str] = []
    for label in np.unique(films.labels):
        of_class = np.unique(patients[films.labels == label])
        chosen += list(
            generator.choice(of_class, max(1, round(share * len(of_class))), replace=False)
        )
    return np.flatnonzero(np.isin(patients, chosen))


def probe(backbone: Any, films: dict[str, WholeFilms], config: Config) -> dict[str, Any]:
    """Score a backbone with all labels and with few.

    Args:
        backbone (nn.Module): The backbone.
        films (dict[str, WholeFilms]): The pneumonia films by split.
        config (Config): A config with the mean and standard deviation of films.

    Returns:
        dict[str, Any]: Scores by share of the labels.
    """
    features = {
        split: extract_features(backbone, part, config.mean, config.std)
        for split, part in films.items()
    }
    held_out = [split for split in films if split != 'train']
    held_out_features = np.concatenate([features[split] for split in held_out])
    held_out_labels = np.concatenate([films[split].labels for split in held_out])
    train = films['train']
    patients = np.asarray(train.patients)
    scores = {}
    for name, (share, draws) in SHARES.items():
        drawn = []
        for draw in range(draws):
            index = draw_patients(train, share, draw)
            drawn.append(
                representation_scores(
                    features['train'][index],
                    train.labels[index],
                    list(patients[index]),
                    held_out_features,
                    held_out_labels,
                )
            )
        scores[name] = {key: float(np.mean([one[key] for one in drawn])) for key in drawn[0]}
    return scores


def table(results: list[dict[str, Any]], films: dict[str, WholeFilms], note: str) -> str:
    """Write mean and standard deviation over the seeds as Markdown.

    Args:
        results (list[dict]): What was measured, one of each arm and seed.
        films (dict[str, WholeFilms]): The pneumonia films by split.
        note (str): What was done.

    Returns:
        str: The table, and beside it the differences to md_moco of the same seed.
    """
    held_out = np.concatenate([part.labels for split, part in films.items() if split != 'train'])
    majority = 100 * np.bincount(held_out).max() / len(held_out)
    arms = list(dict.fromkeys(result['arm'] for result in results))
    lines = [
        note,
        '',
        f'Held-out films: {len(held_out)}; accuracy of always the same answer: {majority:.1f}. '
        'Mean and standard deviation over seeds.',
        '',
        f'| backbone | seeds | {" | ".join(COLUMNS)} | seconds |',
        '|' + '---|' * (len(COLUMNS) + 3),
    ]
    by_arm = {arm: {r['seed']: r for r in results if r['arm'] == arm} for arm in arms}
    for arm, runs in by_arm.items():
        cells = [
            _mean_and_spread([run['scores'][share][key] for run in runs.values()])
            for share, key in COLUMNS.values()
        ]
        seconds = _mean_and_spread([run['seconds'] for run in runs.values()])
        lines.append(f'| {arm} | {len(runs)} | {" | ".join(cells)} | {seconds} |')
    moco = by_arm.get('md_moco', {})
    for arm in arms:
        seeds = sorted(moco.keys() & by_arm[arm].keys())
        if arm == 'md_moco' or not seeds:
            continue
        cells = [
            _mean_and_spread(
                [
                    moco[seed]['scores'][share][key] - by_arm[arm][seed]['scores'][share][key]
                    for seed in seeds
                ]
            )
            for share, key in COLUMNS.values()
        ]
        lines.append(f'| md_moco - {arm} | {len(seeds)} | {" | ".join(cells)} | |')
    return '\n'.join(lines) + '\n'


def _mean_and_spread(values: list[float]) -> str:
    if len(values) == 1:
        return f'{values[0]:.2f}'
    return f'{np.mean(values):.2f} ± {np.std(values, ddof=1):.2f}'


def same_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Note the settings, or see that they are those of the results that are there.

    Args:
        args (argparse.Namespace): The command line.

    Returns:
        dict[str, Any]: The settings.

    Raises:
        UserError: If the folder holds results of other settings.
    """
    settings = {
        key: getattr(args, key)
        for key in ('iterations', 'batch_size', 'image_size', 'md_moco_options')
    }
    path = args.out / 'settings.json'
    if path.is_file() and json.loads(path.read_text()) != json.loads(json.dumps(settings)):
        raise UserError(f'{path} has other settings: give another --out, or the same settings.')
    args.out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=1) + '\n')
    return settings


def main() -> None:
    """Train, probe, and write results.json and results.md."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--data', type=Path, required=True, help='the prepared films')
    parser.add_argument('--out', type=Path, required=True, help='folder for everything written')
    parser.add_argument('--arms', nargs='+', choices=ARMS, default=list(ARMS))
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument('--iterations', type=int, default=2000, help='default: 2000')
    parser.add_argument('--batch-size', type=int, default=32, help='films (default: 32)')
    parser.add_argument('--image-size', type=int, default=96, help='pixels (default: 96)')
    parser.add_argument('--workers', type=int, default=1, help='loading films (default: 1)')
    parser.add_argument('--save-every', type=int, default=250, help='iterations (default: 250)')
    parser.add_argument(
        '--md-moco-options',
        nargs='+',
        action=DictAction,
        help='options of the config of step 1, for example model.temperature=0.1 (default: '
        'model.queue_len=1024 model.momentum=0.99)',
    )
    args = parser.parse_args()
    settings = same_settings(args)
    os.environ['MUSCLE_DATA_ROOT'] = str(args.data.absolute())
    os.environ['MUSCLE_IMAGE_SIZE'] = str(args.image_size)
    root = str(args.data.absolute() / 'pneumonia')
    films = {
        split: WholeFilms(
            dict(type='muscle_mm.PneumoniaCXR', data_root=root, split=split), args.image_size
        )
        for split in ('train', 'val', 'test')
    }
    results = []
    # Seed by seed, so that an early look sees every arm.
    for seed in args.seeds:
        for arm in args.arms:
            path = args.out / 'results' / f'{arm}-seed{seed}.json'
            if not path.is_file():
                backbone, seconds = trained_backbone(arm, seed, args)
                result = dict(
                    arm=arm,
                    seed=seed,
                    films_seen=0 if arm == 'random' else args.iterations * args.batch_size,
                    seconds=seconds,
                    scores=probe(backbone, films, config_of(arm, seed, args)),
                )
                path.parent.mkdir(exist_ok=True)
                with whole_file(path) as unfinished:
                    unfinished.write_text(json.dumps(result, indent=1) + '\n')
            results.append(json.loads(path.read_text()))
            content = dict(settings=settings, results=results)
            (args.out / 'results.json').write_text(json.dumps(content, indent=1) + '\n')
            note = ', '.join(f'{key} {value}' for key, value in settings.items() if value)
            (args.out / 'results.md').write_text(table(results, films, note))
    print((args.out / 'results.md').read_text(), end='')


if __name__ == '__main__':
    run_command(main)

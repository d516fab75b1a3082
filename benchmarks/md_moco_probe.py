# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
r"""Does MD-MoCo, trained as long as two cores can, make better features than its rivals?

Every backbone is a ResNet of the same depth that saw the same number of films (iterations x batch
size) at the same size; it is frozen, and a linear probe and a vote of the nearest neighbours are
fitted to its features of the pneumonia training films. They are scored on validation and on test
apart: what is chosen (options, length) is chosen on validation, what is reported is test. With all
labels, and with those of 10, 5 and 2% of the patients (five draws each, the same for every
backbone; of the last two also the draw of each seed alone, see scratch_5%).

- random: Kaiming initialisation, not trained; BatchNorm has the statistics of the training films,
  and no block begins as the identity.
- random_zero_init: the same, as mmpretrain begins a training: each block is the identity.
- scratch_knee: trained with labels on another set (knee films), from scratch, equally long.
- scratch_pneumonia: trained with the very labels that are asked for, equally long: all of them,
  also where the probe is then given a part. The AUC of its own head is in the table, too.
- scratch_5%, scratch_2%: the same with the labels of so many patients, another draw for each seed:
  what is left to do without pre-training where labels are few. Its probe on that very draw, and its
  head, have seen the same labels as md_moco's probe on it (column '5%, own draw').
- md_moco: step 1 on all training films without labels, pneumonia's among them.

An iteration of MD-MoCo costs more than one of Scratch: two views go through an encoder, one of them
without gradients. The table says the seconds of the iterations, waiting for films included.

    python benchmarks/real_films.py DATA FILMS
    python benchmarks/md_moco_probe.py --data DATA --out OUT --iterations 2000

In so short a run, a shorter queue, larger and milder views without blur and a rising momentum were
better for MD-MoCo on validation; bfloat16 and a cache save time in all arms:

    python benchmarks/md_moco_probe.py --data DATA --out OUT2 --iterations 1500 \
        --precision bfloat16 --cache 128 --md-moco-options model.queue_len=128 \
        custom_hooks.0.end_momentum=1.0 \
        train_dataloader.dataset.pipeline.1.crop_scale=0.6,1.0 \
        train_dataloader.dataset.pipeline.1.brightness=0.2 \
        train_dataloader.dataset.pipeline.1.contrast=0.2 \
        train_dataloader.dataset.pipeline.1.blur_probability=0.0

What is interrupted goes on from its last checkpoint; what is finished is kept.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from md_moco_probe_tables import SHARES, tables
from mmengine.config import Config, DictAction
from mmengine.device import get_device
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner import Runner, set_random_seed
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader

from muscle_mm.command_line.friendly_errors import run_command
from muscle_mm.datasets.cache import build_cache
from muscle_mm.datasets.manifest import MANIFEST_NAME
from muscle_mm.datasets.whole_films import WholeFilms
from muscle_mm.evaluation import extract_features, representation_scores
from muscle_mm.evaluation.representation_scores import macro_auc
from muscle_mm.models import extract_backbone
from muscle_mm.models.grey_data_preprocessor import expand_grey
from muscle_mm.pipeline.settings import keep_settings
from muscle_mm.pipeline.steps import config_path
from muscle_mm.utils.safe_loading import load_checkpoint_file, state_dict_of
from muscle_mm.utils.whole_file import whole_file

ARMS = {
    'random': 'pneumonia',
    'random_zero_init': 'pneumonia',
    'scratch_knee': 'mura',
    'scratch_pneumonia': 'pneumonia',
    'scratch_5%': 'pneumonia',
    'scratch_2%': 'pneumonia',
    'md_moco': 'md_moco',
}
"""Step or task whose published config an arm has; of the random ones its backbone alone."""

FEW_LABELS = {f'scratch_{name}': SHARES[name][0] for name in ('5%', '2%')}
"""Share of the patients whose labels an arm is trained with."""

MD_MOCO_OPTIONS = {
    'model.queue_len': 1024,
    'model.momentum': 0.99,
    'model.bn_splits': 2,  # of a batch of 32, parts of 16 films
}
"""What a short run with small batches needs, over the config of step 1."""


def config_of(arm: str, seed: int, args: argparse.Namespace) -> Config:
    """Read a published config and make it as long as all the others.

    Args:
        arm (str): One of ARMS.
        seed (int): Seed of the training.
        args (argparse.Namespace): The command line.

    Returns:
        Config: The config.
    """
    config = Config.fromfile(config_path(ARMS[arm], args.depth, nine_sets=False))
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
        pin_memory=torch.cuda.is_available(),
        sampler=dict(type='InfiniteSampler', shuffle=True),
    )
    for part in ('val', 'test'):
        for key in ('dataloader', 'evaluator', 'cfg'):
            config.pop(f'{part}_{key}', None)
    if args.precision == 'bfloat16':
        config.optim_wrapper.type = 'muscle_mm.BFloat16OptimWrapper'
    if arm == 'md_moco':
        config.merge_from_dict({**MD_MOCO_OPTIONS, **(args.md_moco_options or {})})
    if arm == 'random':
        config.model.backbone.zero_init_residual = False
    config.resume = True
    return config


def random_backbone(seed: int, config: Config, films: WholeFilms) -> Any:
    """Initialise a backbone, and give its BatchNorm the statistics of films.

    Args:
        seed (int): Seed of the weights.
        config (Config): The config.
        films (WholeFilms): Training films.

    Returns:
        nn.Module: The backbone.
    """
    backbone = build_backbone(seed, config)
    for module in backbone.modules():
        if isinstance(module, _BatchNorm):
            module.momentum = None  # the plain average of all batches
    backbone.train()
    loader = DataLoader(
        films, 64, shuffle=True, drop_last=True, generator=torch.Generator().manual_seed(seed)
    )
    with torch.no_grad():
        for batch, _ in loader:
            backbone(expand_grey((batch.float() - config.mean) / config.std))
    return backbone


def build_backbone(seed: int, config: Config) -> Any:
    """Build the backbone of a config, and initialise it.

    Args:
        seed (int): Seed of the weights.
        config (Config): The config.

    Returns:
        nn.Module: The backbone.
    """
    set_random_seed(seed)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        backbone = MODELS.build(config.model.backbone)
    backbone.init_weights()
    return backbone


def trained_checkpoint(config: Config, iterations: int) -> dict[str, Any]:
    """Train, or go on, or read what was trained before.

    Args:
        config (Config): The config.
        iterations (int): Its number of iterations.

    Returns:
        dict[str, Any]: The last checkpoint.
    """
    path = Path(config.work_dir) / f'iter_{iterations}.pth'
    if not path.is_file():
        Runner.from_cfg(config).train()
    return load_checkpoint_file(path)


def seconds_of(checkpoint: dict[str, Any]) -> float:
    """Add up the seconds of all iterations, those before an interruption included.

    Args:
        checkpoint (dict[str, Any]): Its log goes on where an interrupted training is resumed.

    Returns:
        float: Seconds.
    """
    return float(checkpoint['message_hub']['log_scalars']['train/time'].data[0].sum())


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


def measure(arm: str, seed: int, args: Any, films: dict[str, WholeFilms]) -> dict[str, Any]:
    """Train an arm and score its backbone.

    Args:
        arm (str): One of ARMS.
        seed (int): Seed of the training.
        args (argparse.Namespace): The command line.
        films (dict[str, WholeFilms]): The pneumonia films by split.

    Returns:
        dict[str, Any]: What goes into results.json.
    """
    config = config_of(arm, seed, args)
    result = dict(arm=arm, seed=seed, films_seen=0, seconds=0.0)
    weights: dict[str, Any] = {}
    if arm.startswith('random'):
        backbone = random_backbone(seed, config, films['train'])
    else:
        if arm in FEW_LABELS:
            drawn = draw_patients(films['train'], FEW_LABELS[arm], seed)
            config.train_dataloader.dataset.indices = drawn.tolist()
        checkpoint = trained_checkpoint(config, args.iterations)
        result.update(films_seen=args.iterations * args.batch_size, seconds=seconds_of(checkpoint))
        weights = state_dict_of(checkpoint)
        backbone = build_backbone(seed, config)
        backbone.load_state_dict(
            extract_backbone(weights, backbone, f'checkpoint of {arm}', prefix='backbone.')
        )
    backbone.to(get_device())
    features = {
        split: extract_features(backbone, part, config.mean, config.std)
        for split, part in films.items()
    }
    scores = {
        split: probe(features['train'], films['train'], features[split], films[split], seed)
        for split in films
        if split != 'train'
    }
    if arm == 'scratch_pneumonia' or arm in FEW_LABELS:
        for split, of_split in scores.items():
            logits = torch.from_numpy(features[split]) @ weights['head.fc.weight'].T
            chances = (logits + weights['head.fc.bias']).softmax(dim=1).numpy()
            of_split['all']['head_auc'] = 100 * macro_auc(films[split].labels, chances, (0, 1))
    return {**result, 'scores': scores}


def probe(
    train_features: np.ndarray,
    train: WholeFilms,
    features: np.ndarray,
    films: WholeFilms,
    seed: int,
) -> dict[str, dict[str, float]]:
    """Score features with all labels and with few.

    Args:
        train_features (np.ndarray): (N, D) features to fit on.
        train (WholeFilms): Their films.
        features (np.ndarray): (M, D) features to score on.
        films (WholeFilms): Their films.
        seed (int): Of the training; the number of its own draw.

    Returns:
        dict[str, dict[str, float]]: Scores by share of the labels.
    """
    patients = np.asarray(train.patients)
    scores = {}
    for name, (share, draws) in SHARES.items():
        drawn = []
        for draw in [seed] if draws is None else range(draws):
            index = draw_patients(train, share, draw)
            drawn.append(
                representation_scores(
                    train_features[index],
                    train.labels[index],
                    list(patients[index]),
                    features,
                    films.labels,
                )
            )
        scores[name] = {key: float(np.mean([one[key] for one in drawn])) for key in drawn[0]}
    return scores


def main() -> None:
    """Train, probe, and write results.json and results.md."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--data', type=Path, required=True, help='the prepared films')
    parser.add_argument('--out', type=Path, required=True, help='folder for everything written')
    parser.add_argument('--arms', nargs='+', choices=ARMS, default=list(ARMS))
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument('--depth', type=int, default=18, choices=[18, 50], help='of the ResNet')
    parser.add_argument('--iterations', type=int, default=2000, help='default: 2000')
    parser.add_argument('--batch-size', type=int, default=32, help='films (default: 32)')
    parser.add_argument('--image-size', type=int, default=96, help='pixels (default: 96)')
    parser.add_argument('--workers', type=int, default=1, help='loading films (default: 1)')
    parser.add_argument('--save-every', type=int, default=250, help='iterations (default: 250)')
    parser.add_argument(
        '--precision',
        choices=['float32', 'bfloat16'],
        default='float32',
        help='of all trainings (default: float32)',
    )
    parser.add_argument(
        '--cache', type=int, default=0, help='train from caches of this size (default: the files)'
    )
    defaults = ' '.join(f'{key}={value}' for key, value in MD_MOCO_OPTIONS.items())
    parser.add_argument(
        '--md-moco-options',
        nargs='+',
        action=DictAction,
        help=f'options of the config of step 1 (default: {defaults})',
    )
    args = parser.parse_args()
    names = (
        'depth',
        'iterations',
        'batch_size',
        'image_size',
        'precision',
        'cache',
        'md_moco_options',
    )
    settings = {name: getattr(args, name) for name in names}
    keep_settings(args.out, settings)
    os.environ['MUSCLE_DATA_ROOT'] = str(args.data.absolute())
    os.environ['MUSCLE_IMAGE_SIZE'] = str(args.image_size)
    os.environ['MUSCLE_CACHE'] = str(args.cache)
    if args.cache:
        for manifest in sorted(args.data.glob(f'*/{MANIFEST_NAME}')):
            build_cache(manifest, args.cache)
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
                result = measure(arm, seed, args, films)
                path.parent.mkdir(exist_ok=True)
                with whole_file(path) as unfinished:
                    unfinished.write_text(json.dumps(result, indent=1) + '\n')
            results.append(json.loads(path.read_text()))
            content = dict(settings=settings, results=results)
            (args.out / 'results.json').write_text(json.dumps(content, indent=1) + '\n')
            note = ', '.join(f'{key} {value}' for key, value in settings.items() if value)
            labels = {split: part.labels for split, part in films.items()}
            (args.out / 'results.md').write_text(tables(results, labels, note))
    print((args.out / 'results.md').read_text(), end='')


if __name__ == '__main__':
    run_command(main)

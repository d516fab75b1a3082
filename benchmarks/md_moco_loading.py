# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The second figure of ``md_moco_speed.py``: steps that load 1024-pixel films from files."""

import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import torch
from data_loading import FORMATS, SIDE, read_films
from mmengine.config import Config
from mmengine.dataset import worker_init_fn
from mmpretrain.datasets import CustomDataset
from moco_contestants import MDMoCoStep, MmpretrainMoCo, train_on
from torch.utils.data import DataLoader, Dataset, default_collate

from muscle_mm.datasets import MultiXrayDataset
from muscle_mm.utils.processors import available_processors

REPOSITORY = Path(__file__).parents[1]
PREPARE = REPOSITORY / 'tools' / 'prepare_dataset.py'
#: Batches that a worker loads ahead.
PREFETCH = 2
#: Pixels of the cache that one contestant loads from.
CACHE = 256
CONFIG = REPOSITORY / 'configs/md_moco/md-moco_resnet18_1xb128-200e_xray9-224px.py'


def our_pipeline(size: int) -> list[dict]:
    """Read the pipeline of step 1's config."""
    os.environ['MUSCLE_IMAGE_SIZE'] = str(size)
    return Config.fromfile(CONFIG).train_dataloader.dataset.pipeline


class Epochs(Dataset):
    """A data set again and again, so that a loader does not come to its end."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, index: int) -> Any:
        return self.dataset[index % len(self.dataset)]


def keep_apart(samples: list[dict]) -> dict:
    """Collate two views each; mmpretrain's samples of metadata are not tensors."""
    return dict(
        inputs=default_collate([sample['inputs'] for sample in samples]),
        data_samples=[sample['data_samples'] for sample in samples],
    )


def train_for(contestant: Any, loader: DataLoader, seconds: float) -> tuple[float, float]:
    """Train from a loader that starts anew.

    Returns:
        tuple[float, float]: Batches a second, and the share of the time spent waiting for data.
    """
    batches = iter(loader)
    # What has been loaded ahead while nothing trained must not count.
    for _ in range(loader.num_workers * PREFETCH + 1):
        train_on(contestant, next(batches)).item()
    count, waited, start = 0, 0.0, time.perf_counter()
    while time.perf_counter() < start + seconds or not count:
        asked = time.perf_counter()
        batch = next(batches)
        waited += time.perf_counter() - asked
        train_on(contestant, batch).item()
        count += 1
    spent = time.perf_counter() - start
    return count / spent, waited / spent


def write_films(folder: Path) -> None:
    """Draw films, write them as JPEG, and prepare them with a cache.

    Args:
        folder (Path): Empty.
    """
    (folder / 'films').mkdir()
    for number, film in enumerate(read_films(None, folder / 'phantoms')):
        path = folder / 'films' / f'{number:02d}.jpg'
        cv2.imwrite(str(path), film, FORMATS['jpg'])
    command = [sys.executable, str(PREPARE), 'XrayFolder']
    command += ['--src', str(folder / 'films'), '--out', str(folder), '--cache', str(CACHE)]
    subprocess.run(command, check=True, capture_output=True)


def measure_with_loading(
    folder: Path, depth: int, batch_size: int, size: int, seconds: float, device: torch.device
) -> None:
    """Let both toolboxes' whole ways from file to step take turns, and print medians.

    Args:
        folder (Path): What :func:`write_films` has written.
        depth (int): Of the ResNet.
        batch_size (int): Films of a batch.
        size (int): Side of a view, in pixels.
        seconds (float): Time for all together, without what it takes to start loaders.
        device (torch.device): Where the steps run.
    """
    workers = available_processors()
    mmpretrain = MmpretrainMoCo(depth, device)
    mmpretrain.pipeline[1]['transforms'][0][0]['scale'] = size
    theirs = CustomDataset(
        data_root=str(folder / 'films'), with_label=False, pipeline=mmpretrain.pipeline
    )
    ours, cached = (
        MultiXrayDataset(
            [dict(type='muscle_mm.XrayDataset', data_root=str(folder), cache=cache)],
            pipeline=our_pipeline(size),
        )
        for cache in (None, CACHE)
    )
    float32, bfloat16 = ('channels_last', 'float32'), ('channels_last', 'bfloat16')
    fastest = MDMoCoStep(depth, device, *bfloat16)
    contestants: dict[tuple[str, ...], tuple[Any, Any]] = {
        ('mmpretrain MoCo', 'contiguous_format', 'float32'): (mmpretrain, theirs),
        ('MDMoCo', *float32): (MDMoCoStep(depth, device, *float32), ours),
        ('MDMoCo', *bfloat16): (fastest, ours),
        (f'MDMoCo, cache of {CACHE} pixels', *bfloat16): (fastest, cached),
    }
    figures: dict[tuple[str, ...], list[tuple[float, float]]] = {key: [] for key in contestants}
    rounds = 1 if device.type == 'cuda' else 3
    for _ in range(rounds):
        for key, (contestant, dataset) in contestants.items():
            loader = DataLoader(
                Epochs(dataset),
                batch_size,
                num_workers=workers,
                prefetch_factor=PREFETCH,
                collate_fn=keep_apart if dataset is theirs else default_collate,
                pin_memory=device.type == 'cuda',
                worker_init_fn=worker_seed,
            )
            share = seconds / rounds / len(contestants)
            figures[key].append(train_for(contestant, loader, share))
    print(f'\nWith loading from {SIDE}-pixel JPEG files, {workers} workers')
    print('| | layout | precision | images/s | of mmpretrain | waiting for data |')
    print('|---|---|---|---|---|---|')
    speed = {
        key: batch_size * median(rate for rate, _ in values) for key, values in figures.items()
    }
    for key, value in speed.items():
        waiting = 100 * median(share for _, share in figures[key])
        ratio = value / next(iter(speed.values()))
        print(f'| {" | ".join(key)} | {value:.1f} | {ratio:.2f} | {waiting:.0f}% |')


def worker_seed(worker: int) -> None:
    """Seed a worker, and keep OpenCV and torch to one thread in it, as mmengine's runner does."""
    worker_init_fn(worker, num_workers=1, rank=0, seed=0)
    cv2.setNumThreads(0)
    warnings.filterwarnings('ignore', module='mmcv')  # one line for each picture

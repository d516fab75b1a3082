# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""How fast are films loaded? ``python benchmarks/data_loading.py``.

40 films of 1024 x 1024 pixels as JPEG (quality 90) and as PNG, two views of 224 pixels each. In one
run, taking turns in one worker of a data loader, on one thread: decoding alone, mmpretrain's own
MoCo v2 pipeline, and ours as step 1 uses it: ``MultiXrayDataset`` with seeded samples, ``LoadXray``
and ``XrayViews``, from the files and from caches. The films are phantoms, or, with ``--films``,
your own.
"""

import argparse
import json
import os
import platform
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmengine.utils import get_installed_path
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from muscle_mm.command_line.friendly_errors import run_command
from muscle_mm.datasets import MultiXrayDataset, XrayDataset
from muscle_mm.datasets.cache import build_cache
from muscle_mm.datasets.io import read_xray
from muscle_mm.datasets.manifest import MANIFEST_NAME
from muscle_mm.datasets.preparation import prepare
from muscle_mm.phantoms import write_phantoms
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.toolbox import require_toolbox

FILMS, SIDE, SIZE = 40, 1024, 224
FORMATS = {'jpg': [cv2.IMWRITE_JPEG_QUALITY, 90], 'png': []}
#: The shorter side at which a JPEG need not be decoded any larger: the smallest crop, a fifth of
#: the film's area, covers 45% of its side, and so still has as many pixels as the view.
MIN_SIDE = int(2.25 * SIZE)
CACHES = (256, 512)
#: A turn of a contestant lasts at least so long; the films are gone through as often as needed.
SECONDS = 0.3

DECODE, MMPRETRAIN = 'decode: OpenCV', 'mmpretrain MoCo v2'
FROM_FILE = f'ours, min_side={MIN_SIDE}'
#: What is asked for: share of the decode rate, and images/s.
TARGETS = {FROM_FILE: 0.8} | {f'ours, cache={size}': 1000.0 for size in CACHES}

Load = Callable[[int], Any]


def parse_arguments() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The arguments.
    """
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--films', type=Path, help='folder of films to use in place of phantoms')
    parser.add_argument('--rounds', type=int, default=7, help='turns of each (default: 7)')
    parser.add_argument(
        '--json', type=Path, default=Path('work_dirs/data_loading.json'), help='where to write'
    )
    return parser.parse_args()


def read_films(source: Path | None, folder: Path) -> list[np.ndarray]:
    """Read or draw the films, (1024, 1024) uint8; of half of them there is the mirror image.

    Raises:
        UserError: If the folder holds no film.
    """
    if source is None:
        source = write_phantoms(
            folder, {'PneumoniaCXR': FILMS // 2}, size=SIDE, sets=['PneumoniaCXR']
        )['PneumoniaCXR']
    suffixes = ('.png', '.jpg', '.jpeg', '.dcm', '.tif', '.tiff')
    paths = sorted(path for path in source.rglob('*') if path.suffix.lower() in suffixes)
    if not paths:
        raise UserError(f'--films {source}: no films ({", ".join(suffixes)}) in this folder.')
    films = [as_square(read_xray(path)) for path in paths[: FILMS // 2]]
    return [*films, *(np.ascontiguousarray(film[:, ::-1]) for film in films)]


def as_square(film: np.ndarray) -> np.ndarray:
    """Cut out the middle, and give it 1024 x 1024 pixels."""
    side = min(film.shape)
    top, left = ((length - side) // 2 for length in film.shape)
    method = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
    square = film[top : top + side, left : left + side]
    return cv2.resize(square, (SIDE, SIDE), interpolation=method)


def mmpretrain_pipeline() -> Compose:
    """Build the pipeline of mmpretrain's own MoCo v2 config."""
    warnings.filterwarnings('ignore', module='mmcv')  # one line for each picture
    init_default_scope('mmpretrain')
    folder = get_installed_path('mmpretrain') + '/.mim/configs/_base_/datasets'
    return Compose(Config.fromfile(f'{folder}/imagenet_bs32_mocov2.py').train_pipeline)


def our_samples(out: Path, cache: int | None, min_side: int | None) -> MultiXrayDataset:
    """Build our data set as step 1 uses it."""
    pipeline: list[dict[str, Any]] = [
        dict(type='muscle_mm.LoadXray', min_side=min_side),
        dict(type='muscle_mm.XrayViews', size=SIZE),
    ]
    dataset = MultiXrayDataset([XrayDataset(data_root=str(out), cache=cache)], pipeline=pipeline)
    dataset.seed_samples(0)
    return dataset


def decode_with_opencv(paths: list[str], index: int) -> np.ndarray | None:
    """Decode a film and do nothing with it."""
    return cv2.imread(paths[index % len(paths)], cv2.IMREAD_GRAYSCALE)


def decode_with_pillow(paths: list[str], index: int) -> np.ndarray:
    """Decode a film and do nothing with it."""
    with Image.open(paths[index % len(paths)]) as image:
        return np.asarray(image)


def load_with_mmpretrain(pipeline: Compose, paths: list[str], index: int) -> Any:
    """Send a film through mmpretrain's pipeline."""
    return pipeline(dict(img_path=paths[index % len(paths)]))


def contestants(source: Path, out: Path) -> dict[str, Load]:
    """Prepare the films of a folder; what is timed takes the number of a film.

    Args:
        source (Path): Folder of the films.
        out (Path): Folder for manifest and caches.

    Returns:
        dict[str, Load]: By name.
    """
    prepare('XrayFolder', source, out, progress=False)
    for size in CACHES:
        build_cache(out / MANIFEST_NAME, size, progress=False)
    paths = [str(path) for path in sorted(source.iterdir())]
    theirs = mmpretrain_pipeline()
    ours = {
        'ours, full size': our_samples(out, None, None),
        FROM_FILE: our_samples(out, None, MIN_SIDE),
        **{f'ours, cache={size}': our_samples(out, size, None) for size in CACHES},
    }
    return {
        DECODE: partial(decode_with_opencv, paths),
        'decode: Pillow': partial(decode_with_pillow, paths),
        MMPRETRAIN: partial(load_with_mmpretrain, theirs, paths),
        **{name: dataset.__getitem__ for name, dataset in ours.items()},
    }


class Turns(Dataset):
    """The contestants take turns; an item is the name of one and its images/s in this turn.

    Args:
        loads (dict[str, Load]): What is timed.
        count (int): Films.
        rounds (int): Turns of each.
    """

    def __init__(self, loads: dict[str, Load], count: int, rounds: int) -> None:
        self.loads, self.count, self.rounds = loads, count, rounds

    def __len__(self) -> int:
        return self.rounds * len(self.loads)

    def __getitem__(self, number: int) -> tuple[str, float]:
        name, load = list(self.loads.items())[number % len(self.loads)]
        turn = number // len(self.loads)
        if turn == 0:  # films, caches and code come into memory
            for index in range(self.count):
                load(index)
        first = turn * 1000 * self.count
        index, start = first, time.perf_counter()
        while index == first or index % self.count or time.perf_counter() - start < SECONDS:
            # As the epochs of a training: a film has other views each time.
            load(index)
            index += 1
        return name, (index - first) / (time.perf_counter() - start)


def one_thread(worker: int) -> None:
    """Keep OpenCV and torch to one thread, as mmengine's runner does."""
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def rates(loads: dict[str, Load], count: int, rounds: int) -> dict[str, list[float]]:
    """Time the contestants in a worker of a data loader.

    Args:
        loads (dict[str, Load]): What is timed.
        count (int): Films.
        rounds (int): Turns of each.

    Returns:
        dict[str, list[float]]: Images a second in each turn.
    """
    found: dict[str, list[float]] = {name: [] for name in loads}
    turns = Turns(loads, count, rounds)
    for name, rate in DataLoader(turns, None, num_workers=1, worker_init_fn=one_thread):
        found[name].append(rate)
    return found


def judge(name: str, rate: float, share: float) -> str:
    """Compare with what is asked for."""
    if name not in TARGETS:
        return ''
    target = TARGETS[name]
    reached, text = (
        (share >= target, f'{target:.0%}') if target < 1 else (rate >= target, f'{target:.0f}')
    )
    return f'{text}: {"reached" if reached else "MISSED"}'


def report(kind: str, found: dict[str, list[float]]) -> None:
    """Print the table of a format.

    A ratio is that of two turns of the same round, and of all rounds the median: what else the
    machine does then weighs less.
    """
    print(f'\n{kind.upper()}, {len(found[DECODE])} rounds')
    print('| | images/s, median | fastest round | of decoding | of mmpretrain | target |')
    print('|---|---|---|---|---|---|')
    for name, values in found.items():
        rate = median(values)
        share, gain = (
            median(value / other for value, other in zip(values, found[basis], strict=True))
            for basis in (DECODE, MMPRETRAIN)
        )
        print(
            f'| {name} | {rate:.0f} | {max(values):.0f} | {share:.0%} | {gain:.1f} | '
            f'{judge(name, rate, share)} |'
        )


def main() -> None:
    """Measure."""
    arguments = parse_arguments()
    if arguments.rounds < 1:
        raise UserError(f'--rounds {arguments.rounds} must be at least 1.')
    require_toolbox('mmpretrain', 'this comparison')
    machine = {
        'processor': processor(),
        'opencv': cv2.__version__,
        'torch': torch.__version__,
        'python': platform.python_version(),
    }
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        films = read_films(arguments.films, Path(temporary, 'phantoms'))
        # A machine with other work shows here: one busy process is us.
        print(f'{machine}, {len(films)} films, load before {os.getloadavg()[0]:.1f}')
        for kind, options in FORMATS.items():
            source = Path(temporary, kind)
            source.mkdir()
            for number, film in enumerate(films):
                cv2.imwrite(str(source / f'{number:02d}.{kind}'), film, options)
            loads = contestants(source, Path(temporary, f'{kind}_prepared'))
            results[kind] = rates(loads, len(films), arguments.rounds)
            report(kind, results[kind])
    print(f'\nload after {os.getloadavg()[0]:.1f}')
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(machine | {'images_per_second': results}, indent=1) + '\n')
    print(f'every round: {arguments.json}')


def processor() -> str:
    """Name the processor."""
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
        return next(line.split(':')[1].strip() for line in lines if line.startswith('model name'))
    except (OSError, StopIteration):
        return platform.processor()


if __name__ == '__main__':
    run_command(main)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""How fast is a training step of MDMoCo? ``python benchmarks/md_moco_speed.py``.

Synthetic input, data loading excluded: a step begins with uint8 views in memory. In one run, taking
turns: mmpretrain's MoCo as its users run it, a loop without any framework, and MDMoCo through
mmengine, in the same precisions and layouts.
First the float32 losses of the bare loop and MDMoCo must agree over three steps.
``--with-loading`` adds loading from files, see ``md_moco_loading.py``.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from mmengine.logging import MMLogger
from moco_contestants import BareLoop, MDMoCoStep, MmpretrainMoCo, train_on

#: Films of a batch for each depth of ResNet.
BATCHES = {18: 32, 50: 16}
#: Steps between two waits for a GPU, and before the clock starts: cuDNN then tries its algorithms.
GPU_STEPS, WARM_UP_STEPS = 20, 3
MODES = (
    ('contiguous_format', 'float32'),
    ('channels_last', 'float32'),
    ('channels_last', 'bfloat16'),
)


def parse_arguments() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The arguments.
    """
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--depths', type=int, nargs='+', default=[18, 50], choices=[18, 50])
    parser.add_argument('--batch-size', type=int, help='default: 32 for R18, 16 for R50')
    parser.add_argument('--size', type=int, default=224, help='side of a view in pixels')
    parser.add_argument('--seconds', type=float, default=300, help='time for each depth')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--compile', action='store_true', help='also measure torch.compile')
    parser.add_argument('--with-loading', action='store_true', help='also measure with loading')
    return parser.parse_args()


def random_films(batch_size: int, size: int, device: torch.device) -> list[torch.Tensor]:
    """Draw two views, each (N, 1, size, size) uint8, in memory as a data loader leaves them."""
    shape = (batch_size, 1, size, size)
    pinned = device.type == 'cuda'
    return [torch.randint(0, 256, shape, dtype=torch.uint8, pin_memory=pinned) for _ in range(2)]


def check_agreement(depth: int, device: torch.device, size: int) -> float:
    """Train bare loop and MDMoCo for three steps from the same weights, in float32.

    Returns:
        float: The largest relative difference of their losses.
    """
    torch.manual_seed(0)
    ours = MDMoCoStep(depth, device, 'contiguous_format', 'float32')
    bare = BareLoop(depth, device, 'contiguous_format', 'float32')
    bare.start_as(ours.model)
    differences = []
    # With TF32, which has 10 bits of mantissa, or with other algorithms of convolution in one of
    # the two, losses would differ by more than a defect makes.
    exact = dict(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with torch.backends.cudnn.flags(**exact):
        for _ in range(3):
            films = random_films(8, size, device)
            own, expected = ours.step(ours.batch(films)), bare.step(bare.batch(films))
            differences.append(abs(float(own) - float(expected)) / float(expected))
    assert max(differences) < 1e-4, f'losses differ: {differences}'
    return max(differences)


def timed(step: Callable[[], Any], device: torch.device) -> tuple[float, float]:
    """Time a step; on a GPU the mean of several, in which the program may run ahead of the GPU.

    Returns:
        tuple[float, float]: Seconds, and on a GPU the MiB that it took beyond what was held before.
    """
    if device.type != 'cuda':
        start = time.perf_counter()
        step()
        return time.perf_counter() - start, 0.0
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    held = torch.cuda.memory_allocated()
    start = time.perf_counter()
    for _ in range(GPU_STEPS):
        step()
    torch.cuda.synchronize()
    seconds = (time.perf_counter() - start) / GPU_STEPS
    return seconds, (torch.cuda.max_memory_allocated() - held) / 2**20


def measure(
    depth: int,
    batch_size: int,
    size: int,
    seconds: float,
    device: torch.device,
    with_compile: bool,
) -> None:
    """Let all contestants take turns, and print medians; of ratios those within a round."""
    contestants: dict[tuple[str, ...], Any] = {
        ('mmpretrain MoCo', 'contiguous_format', 'float32'): MmpretrainMoCo(depth, device)
    }
    if device.type == 'cuda':  # mmengine's AmpOptimWrapper refuses to run without a GPU
        contestants['mmpretrain MoCo, AmpOptimWrapper', 'contiguous_format', 'float16'] = (
            MmpretrainMoCo(depth, device, 'float16')
        )
    for mode in MODES:
        contestants |= {
            ('bare loop', *mode): BareLoop(depth, device, *mode),
            ('MDMoCo', *mode): MDMoCoStep(depth, device, *mode),
            ('MDMoCo, bn_splits=4', *mode): MDMoCoStep(depth, device, *mode, bn_splits=4),
        }
    if device.type == 'cuda':
        contestants['MDMoCo, AmpOptimWrapper', 'channels_last', 'float16'] = MDMoCoStep(
            depth, device, 'channels_last', 'float16'
        )
    if with_compile:  # takes a minute or more, so only in the fastest mode
        compiled = MDMoCoStep(depth, device, *MODES[-1], bn_splits=4, compile_encoders=True)
        contestants |= {('MDMoCo, bn_splits=4, compiled', *MODES[-1]): compiled}
    films = random_films(batch_size, size, device)
    steps = {
        key: partial(train_on, contestant, contestant.batch(films))
        for key, contestant in contestants.items()
    }
    for step in steps.values():
        for _ in range(WARM_UP_STEPS if device.type == 'cuda' else 1):
            step()
    times: dict[tuple[str, ...], list[float]] = {key: [] for key in steps}
    memory: dict[tuple[str, ...], float] = {}
    end = time.perf_counter() + seconds
    while True:
        for key, step in steps.items():
            spent, memory[key] = timed(step, device)
            times[key].append(spent)
        if time.perf_counter() > end:
            break
    reference = times['mmpretrain MoCo', 'contiguous_format', 'float32']
    print(f'\nResNet-{depth}, batch {batch_size}, {size} pixels, {len(times[key])} rounds')
    print('| | layout | precision | images/s | of the bare loop | of mmpretrain | MiB of a step |')
    print('|---|---|---|---|---|---|---|')
    for key, own in times.items():
        bare = times.get(('bare loop', *key[1:]))
        of_bare = f'{100 * ratio(bare, own):.1f}%' if bare else ''
        print(
            f'| {" | ".join(key)} | {batch_size / median(own):.1f} | {of_bare} | '
            f'{ratio(reference, own):.2f} | {memory[key]:.0f} |'
        )


def ratio(others: list[float], own: list[float]) -> float:
    """Median of how many times as long the others took in the same round.

    A machine that is shared becomes faster and slower from minute to minute.
    """
    return median(other / one for other, one in zip(others, own, strict=True))


def main() -> None:
    """Measure."""
    arguments = parse_arguments()
    MMLogger.get_instance('mmengine', log_level='ERROR')
    device = torch.device(arguments.device)
    where = torch.cuda.get_device_name() if device.type == 'cuda' else 'processors'
    print(f'torch {torch.__version__}, {where}, {torch.get_num_threads()} threads')
    for depth in arguments.depths:
        difference = check_agreement(depth, device, arguments.size)
        print(f'ResNet-{depth}: float32 losses of three steps agree to {difference:.1e} (relative)')
    with tempfile.TemporaryDirectory() as temporary:
        films = Path(temporary)
        if arguments.with_loading:
            from md_moco_loading import measure_with_loading, write_films

            write_films(films)
        for depth in arguments.depths:
            batch_size = arguments.batch_size or BATCHES[depth]
            options = batch_size, arguments.size, arguments.seconds, device
            measure(depth, *options, arguments.compile)
            if arguments.with_loading:
                measure_with_loading(films, depth, *options)


if __name__ == '__main__':
    main()

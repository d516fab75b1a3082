# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What does a cross-task memory cost? ``python benchmarks/continual_step_cost.py``.

Training steps of step 2 (forward, backward, optimizer, memory) on synthetic films, in the published
ResNet-18 config's models, data loading excluded. All memories take turns in one process; the table
has medians. ``ratio`` is the median of the ratios to the step without a memory of the same round. A
round is two steps with each memory, and a teacher with the default interval looks at one of them.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapper
from mmengine.structures import InstanceData, PixelData

from muscle_mm.registry import MODELS

CONFIG = Path(__file__).parents[1] / 'configs/continual/muscle_resnet18_3rounds_xray4.py'
#: Task -> (films of a batch, side of a film in pixels).
BATCHES = {'pneumonia': (16, 224), 'lung': (4, 224), 'tbx': (4, 512)}
#: Steps of a round; a teacher with the default interval looks at one of them.
STEPS = 2
MEMORIES: dict[str, dict[str, Any] | None] = {
    'none': None,
    'FeatureDistillation': dict(type='muscle_mm.FeatureDistillation'),
    'FeatureDistillation, interval=1': dict(type='muscle_mm.FeatureDistillation', interval=1),
    'EMATeacher': dict(type='muscle_mm.EMATeacher'),
    'WeightAnchor': dict(type='muscle_mm.WeightAnchor'),
    'WeightAnchor, importance': dict(type='muscle_mm.WeightAnchor', importance='fisher'),
}


def parse_arguments() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The arguments.
    """
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--tasks', nargs='+', default=list(BATCHES), choices=BATCHES)
    parser.add_argument('--batch-norm', default='shared', help='model.batch_norm')
    parser.add_argument('--scale', type=float, default=1.0, help='factor of the batch sizes')
    parser.add_argument('--seconds', type=float, default=60, help='time for each task')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    return parser.parse_args()


def random_batch(task: str, count: int, size: int) -> dict[str, Any]:
    """Draw films with labels, as the data loader gives them to the model."""
    from mmdet.structures import DetDataSample
    from mmpretrain.structures import DataSample
    from mmseg.structures import SegDataSample

    samples: list[Any] = []
    meta = dict(img_shape=(size, size), ori_shape=(size, size), img_id=0, scale_factor=(1.0, 1.0))
    for index in range(count):
        if task == 'pneumonia':
            sample = DataSample().set_gt_label(index % 2)
        elif task == 'lung':
            mask = torch.zeros(1, size, size, dtype=torch.long)
            mask[:, size // 4 : size // 2, size // 4 : size // 2] = 1
            sample = SegDataSample(metainfo=meta, gt_sem_seg=PixelData(data=mask))
        else:
            corners = torch.tensor([[0.1, 0.1, 0.3, 0.4], [0.5, 0.4, 0.7, 0.6]]) * size
            boxes = InstanceData(bboxes=corners, labels=torch.tensor([0, 1]))
            sample = DetDataSample(metainfo=meta, gt_instances=boxes)
            sample.ignored_instances = InstanceData(
                bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long)
            )
        samples.append(sample)
    films = torch.randint(0, 256, (count, 1, size, size), dtype=torch.uint8)
    return dict(task=[task] * count, inputs=list(films), data_samples=samples)


def contestant(
    config: Config, memory: dict[str, Any] | None, batch_norm: str, device: torch.device
) -> Callable[[dict[str, Any]], None]:
    """Build a model in the middle of a schedule, and its training step."""
    torch.manual_seed(0)
    model = MODELS.build({**config.model, 'memory': memory, 'batch_norm': batch_norm})
    model.init_weights()
    model.to(device).train()
    if model.memory is not None:
        model.memory.remember()
    optimizer = {key: value for key, value in config.optim_wrapper.optimizer.items()}
    optimizer_type = getattr(torch.optim, optimizer.pop('type'))
    wrapper = OptimWrapper(
        optimizer_type(model.parameters(), **optimizer), clip_grad=config.optim_wrapper.clip_grad
    )

    def step(batch: dict[str, Any]) -> None:
        model.train_step(batch, wrapper)
        if model.memory is not None:
            model.memory.after_step()

    return step


def timed(step: Callable[[], None], device: torch.device) -> float:
    """Time a step in seconds, as the mean of a round."""
    if device.type == 'cuda':
        torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(STEPS):
        step()
    if device.type == 'cuda':
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / STEPS


def main() -> None:
    """Measure."""
    arguments = parse_arguments()
    MMLogger.get_instance('mmengine', log_level='ERROR')
    device = torch.device(arguments.device)
    where = torch.cuda.get_device_name() if device.type == 'cuda' else 'processors'
    print(f'torch {torch.__version__}, {where}, {torch.get_num_threads()} threads')
    config = Config.fromfile(CONFIG)
    steps = {
        name: contestant(config, memory, arguments.batch_norm, device)
        for name, memory in MEMORIES.items()
    }
    for task in arguments.tasks:
        count, size = BATCHES[task]
        batch = random_batch(task, max(2, round(count * arguments.scale)), size)
        for step in steps.values():
            step(batch)  # warm up
        times: dict[str, list[float]] = {name: [] for name in steps}
        end = time.perf_counter() + arguments.seconds
        while time.perf_counter() < end or not times['none']:
            for name, step in steps.items():
                times[name].append(timed(partial(step, batch), device))
        rounds = len(times['none'])
        print(f'\n{task}: batch {len(batch["inputs"])}, {size} pixels, {rounds} rounds')
        print('| memory | ms a step | ratio |')
        print('|---|---|---|')
        for name, spent in times.items():
            ratio = median(a / b for a, b in zip(spent, times['none'], strict=True))
            print(f'| {name} | {1000 * median(spent):.0f} | {ratio:.3f} |', flush=True)


if __name__ == '__main__':
    main()

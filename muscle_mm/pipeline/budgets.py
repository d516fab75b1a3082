# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""How much a study trains: sizes in pixels, and options over the published configs."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Budget:
    """A study's image sizes, and the options that its steps add to the published configs.

    Attributes:
        image_size (int, optional): Side of a film in pixels, for all but detection. Defaults to
            None: that of the configs.
        detection_size (int, optional): Longest side of a film in pixels for detection. Defaults to
            None: that of the config.
        options (dict[str, tuple[str, ...]]): ``--cfg-options`` of each step. Defaults to none.
    """

    image_size: int | None = None
    detection_size: int | None = None
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """dict[str, str]: The variables by which the configs under ``configs/`` read the sizes."""
        sizes = {
            'MUSCLE_IMAGE_SIZE': self.image_size,
            'MUSCLE_DETECTION_SIZE': self.detection_size,
        }
        return {name: str(size) for name, size in sizes.items() if size is not None}


def _loader(name: str, workers: int) -> tuple[str, ...]:
    return (
        f'{name}_dataloader.num_workers={workers}',
        f'{name}_dataloader.persistent_workers={workers > 0}',
        f'{name}_dataloader.pin_memory=False',
    )


def _checkpoints_and_log() -> tuple[str, ...]:
    return (
        # Of one alone, a kill could leave none: mmengine removes the old before it writes the new.
        'default_hooks.checkpoint.max_keep_ckpts=2',
        'default_hooks.logger.interval=5',
    )


def _epochs(count: int) -> tuple[str, ...]:
    return (f'train_cfg.max_epochs={count}', f'param_scheduler.1.end={count}')


#: Regions of a film on which the head of Faster R-CNN trains. With the 128 of the configs, made for
#: films of 512 pixels, this head would take most of the time that films of 128 pixels need.
_REGIONS = 'train_cfg.rcnn.sampler.num=32'


def md_moco(epochs: int, batch_size: int, queue_len: int, bn_splits: int) -> tuple[str, ...]:
    """Options of step 1.

    Args:
        epochs (int): Passes over all films.
        batch_size (int): Films of a batch.
        queue_len (int): Keys in the queue; fewer than the films.
        bn_splits (int): Parts of a batch with BatchNorm statistics of their own.

    Returns:
        tuple[str, ...]: The options.
    """
    return (
        *_epochs(epochs),
        f'train_dataloader.batch_size={batch_size}',
        f'model.queue_len={queue_len}',
        f'model.bn_splits={bn_splits}',
        'model.momentum=0.99',  # a short run needs a momentum encoder that follows sooner
        *_loader('train', 1),
        *_checkpoints_and_log(),
    )


def continual(rounds: int, val_interval: int, epochs: int = 1) -> tuple[str, ...]:
    """Options of step 2. MUSCLE-- has one round, and as many epochs in it as MUSCLE in all rounds.

    Args:
        rounds (int): Rounds over the four tasks.
        val_interval (int): Visits from one validation of all tasks to the next; 0 validates at the
            end alone.
        epochs (int): Epochs of a visit. Defaults to 1.

    Returns:
        tuple[str, ...]: The options.
    """
    return (
        f'train_dataloader.batch_sampler.rounds={rounds}',
        f'train_dataloader.batch_sampler.epochs_per_visit={epochs}',
        f'train_cfg.val_interval={val_interval}',
        'train_dataloader.batch_size.pneumonia=16',
        'train_dataloader.batch_size.mura=16',
        f'model.tasks.tbx.{_REGIONS}',
        *_loader('train', 0),
        *_loader('val', 0),
        *_checkpoints_and_log(),
    )


def finetune(epochs: int, val_interval: int, batch_size: int = 16) -> tuple[str, ...]:
    """Options of step 3.

    Args:
        epochs (int): Passes over the task's training films.
        val_interval (int): Epochs from one validation to the next.
        batch_size (int): Films of a batch. Defaults to 16.

    Returns:
        tuple[str, ...]: The options.
    """
    return (
        *_epochs(epochs),
        f'train_cfg.val_interval={val_interval}',
        f'train_dataloader.batch_size={batch_size}',
        *_loader('train', 0),
        *_loader('val', 0),
        *_loader('test', 0),
        *_checkpoints_and_log(),
    )


#: Phantoms in minutes; some two thousand real films in about an hour, both on two cores; and the
#: published configs as they are.
BUDGETS = {
    'tiny': Budget(
        image_size=96,
        detection_size=128,
        options={
            'md_moco': md_moco(epochs=3, batch_size=32, queue_len=512, bn_splits=2),
            'muscle': continual(rounds=2, val_interval=4),
            'muscle_minus_minus': continual(rounds=1, val_interval=2, epochs=2),
            'pneumonia': finetune(epochs=8, val_interval=2),
            'mura': finetune(epochs=8, val_interval=2),
            'lung': finetune(epochs=4, val_interval=2, batch_size=8),
            'tbx': (*finetune(epochs=6, val_interval=2, batch_size=8), f'model.{_REGIONS}'),
        },
    ),
    'small': Budget(
        image_size=96,
        detection_size=192,
        options={
            'md_moco': md_moco(epochs=10, batch_size=32, queue_len=1024, bn_splits=2),
            'muscle': continual(rounds=3, val_interval=4),
            'muscle_minus_minus': continual(rounds=1, val_interval=2, epochs=3),
            'pneumonia': finetune(epochs=6, val_interval=2),
            'mura': finetune(epochs=15, val_interval=3),
            'lung': finetune(epochs=5, val_interval=2, batch_size=8),
            'tbx': (*finetune(epochs=12, val_interval=3, batch_size=8), f'model.{_REGIONS}'),
        },
    ),
    'full': Budget(),
}

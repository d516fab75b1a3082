# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Read a config with the options that all runner tools have in common."""

import argparse
import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction

from muscle_mm.utils.errors import UserError


class ConfigOption(DictAction):
    """``--cfg-options KEY=VALUE ...`` with a message where ``=VALUE`` is missing."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Parse the pairs into ``namespace``.

        Args:
            parser (argparse.ArgumentParser): The parser.
            namespace (argparse.Namespace): Where the result goes.
            values (Any): The pairs as strings.
            option_string (str, optional): The option's name. Defaults to None.
        """
        for value in values:
            if '=' not in value:
                parser.error(f'{option_string}: {value!r} is not of the form KEY=VALUE')
        super().__call__(parser, namespace, values, option_string)


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that training and testing share with the toolboxes' own tools.

    Args:
        parser (argparse.ArgumentParser): Changed in place.
    """
    parser.add_argument('--work-dir', help='folder for logs and checkpoints')
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOption,
        metavar='KEY=VALUE',
        help='settings that replace those of the config, for example '
        'model.backbone.init_cfg.checkpoint=FILE; a list is written key="[a,b]"',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what starts the processes of a distributed run',
    )
    # torchrun sets LOCAL_RANK; older launchers pass the option.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def load_config(args: argparse.Namespace) -> Config:
    """Read a config and apply the common options to it.

    Args:
        args (argparse.Namespace): ``config`` and what ``add_common_arguments`` adds.

    Returns:
        Config: The config, ready for mmengine's ``Runner.from_cfg``.

    Raises:
        UserError: If the file is missing or cannot be read, or an option's key is mistyped.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    path = Path(args.config)
    if not path.is_file():
        raise UserError(f'config {path} does not exist. Check the path.')
    config = Config.fromfile(str(path))
    options = args.cfg_options or {}
    known = config.to_dict()
    for key in options:
        check_option(known, key)
    config.launcher = args.launcher
    if args.work_dir is not None:
        config.work_dir = args.work_dir
    elif config.get('work_dir') is None:
        config.work_dir = str(Path('work_dirs') / path.stem)
    _set_dataloader_defaults(config)
    config.merge_from_dict(options)
    return config


def check_option(config: Mapping[str, Any], key: str) -> None:
    """Refuse a key that is a near miss of one in the config.

    New keys are legitimate (``optim_wrapper.clip_grad.max_norm``), and mmengine would add a
    mistyped one just as silently and train on without it.

    Args:
        config (Mapping[str, Any]): The config.
        key (str): Dotted path as in ``--cfg-options``.

    Raises:
        UserError: If a part of the path is unknown but close to a known one.
    """
    place: Any = config
    parts = key.split('.')
    for depth, part in enumerate(parts):
        if isinstance(place, (list, tuple)):
            if not part.isdigit() or int(part) >= len(place):
                raise UserError(
                    f'--cfg-options {key}: {".".join(parts[:depth])} is a list of {len(place)} '
                    f'entries, and {part!r} is not the number of one.'
                )
            place = place[int(part)]
            continue
        if not isinstance(place, Mapping):
            return
        if part not in place:
            near = difflib.get_close_matches(part, [str(name) for name in place], 1, cutoff=0.8)
            if near:
                meant = '.'.join([*parts[:depth], near[0], *parts[depth + 1 :]])
                raise UserError(
                    f'--cfg-options {key}: the config has no key {".".join(parts[: depth + 1])!r}. '
                    f'Did you mean {meant!r}?'
                )
            return
        place = place[part]


def _set_dataloader_defaults(config: Config) -> None:
    """Add what mmpretrain's own tools add, so that a config behaves the same under both.

    Args:
        config (Config): Changed in place.
    """
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = config.get(name)
        if not isinstance(loader, dict):
            continue
        loader.setdefault('persistent_workers', loader.get('num_workers', 0) > 0)
        if config.get('default_scope') == 'mmpretrain':
            loader.setdefault('pin_memory', True)
            loader.setdefault('collate_fn', dict(type='default_collate'))

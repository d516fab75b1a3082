# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""How long the stages of a study will take, from what was measured in its folder."""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from mmengine.config import Config, DictAction

from muscle_mm.pipeline.ledger import config_of
from muscle_mm.pipeline.stage import Stage
from muscle_mm.registry import DATASETS


@dataclass(frozen=True)
class Estimate:
    """A time, and what it rests on.

    Attributes:
        seconds (float, optional): The time; None if nothing was measured.
        basis (str): What was measured.
    """

    seconds: float | None
    basis: str


def estimate(
    stage: Stage, durations: Mapping[str, Sequence[float]], rates: Mapping[str, float]
) -> Estimate:
    """Estimate one stage.

    Args:
        stage (Stage): The stage.
        durations (Mapping[str, Sequence[float]]): Seconds of finished stages of each kind.
        rates (Mapping[str, float]): Measured seconds of a training iteration of each kind.

    Returns:
        Estimate: From finished stages of the same kind, which trained as long, if there are any.
    """
    finished = durations.get(stage.kind)
    if finished:
        return Estimate(median(finished), f'median of {len(finished)} finished here')
    if stage.kind in rates and stage.config is not None:
        iterations = iterations_of(stage_config(stage))
        rate = rates[stage.kind]
        return Estimate(rate * iterations, f'{iterations} iterations of {rate:.3g} s')
    return Estimate(None, 'not measured')


def stage_config(stage: Stage) -> Config:
    """Read the config of a training with the options of its command.

    Args:
        stage (Stage): A training.

    Returns:
        Config: The config; where a checkpoint is yet to be made its placeholder is left.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={})
    options = parser.parse_known_args(list(stage.command))[0].cfg_options
    config = config_of(stage)
    config.merge_from_dict(options)
    return config


def iterations_of(config: Config) -> int:
    """Count the iterations of a training on the films that are there.

    Args:
        config (Config): A published config, with options.

    Returns:
        int: The iterations.

    Raises:
        UserError: If the films are missing.
    """
    loader = config.train_dataloader
    if 'max_epochs' not in config.train_cfg:
        from muscle_mm.reporting.schedule_plan import plan_schedule

        return sum(plan_schedule(config).iterations.values())
    films = len(DATASETS.build({**loader.dataset, 'pipeline': []}))
    share = films / loader.batch_size
    batches = math.floor(share) if loader.get('drop_last') else math.ceil(share)
    return batches * config.train_cfg.max_epochs


def read_rates(path: Path) -> dict[str, float]:
    """Read what ``measure_rates`` has written.

    Args:
        path (Path): The file.

    Returns:
        dict[str, float]: Seconds of a training iteration of each kind; empty without a file.
    """
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return {str(kind): float(rate) for kind, rate in content.items()}

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Run a fine-tuned model on a few test films."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from muscle_mm.pipeline.checkpoints import best_checkpoint
from muscle_mm.reporting.cells import Cell, find_config
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.safe_loading import load_checkpoint_file, state_dict_of
from muscle_mm.utils.toolbox import require_toolbox


@dataclass(frozen=True)
class Prediction:
    """What a model says about one film, in the film's own pixels.

    Attributes:
        film (np.ndarray): uint8, shape (H, W).
        name (str): The film's file name.
        sample (Any): The toolbox's data sample with truth and prediction.
        classes (tuple[str, ...]): Class names of the data set.
    """

    film: np.ndarray
    name: str
    sample: Any
    classes: tuple[str, ...]


def predict(cell: Cell, count: int = 4) -> list[Prediction]:
    """Run a model on films spread evenly over its test split.

    Args:
        cell (Cell): The fine-tuned model.
        count (int): Number of films. Defaults to 4.

    Returns:
        list[Prediction]: One for each film; the same films for every model of a task.

    Raises:
        UserError: If config or checkpoint are missing, or do not fit each other.
    """
    import torch
    from mmengine.config import Config
    from mmengine.dataset import pseudo_collate
    from mmengine.registry import DATASETS, init_default_scope

    from muscle_mm.datasets.io import read_xray
    from muscle_mm.prediction.trained_model import build_model

    config_file = find_config(cell.work_dir)
    if config_file is None:
        raise UserError(f'{cell.work_dir} holds no config of its training.')
    config = Config.fromfile(str(config_file))
    scope = config.get('default_scope', 'mmengine')
    require_toolbox(scope, needed_by=str(config_file))
    init_default_scope(scope)
    checkpoint = best_checkpoint(cell.work_dir)
    weights = state_dict_of(load_checkpoint_file(checkpoint))
    model = build_model(config.model, weights, str(config_file), str(checkpoint))
    dataset = DATASETS.build(config.test_dataloader.dataset)
    predictions = []
    for index in np.linspace(0, len(dataset) - 1, min(count, len(dataset))).round().astype(int):
        with torch.no_grad():
            sample = model.test_step(pseudo_collate([dataset[int(index)]]))[0]
        path = Path(sample.img_path)
        predictions.append(
            Prediction(read_xray(path), path.name, sample, tuple(dataset.metainfo['classes']))
        )
    return predictions

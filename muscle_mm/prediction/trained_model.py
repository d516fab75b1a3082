# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A trained model, ready to predict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from muscle_mm.prediction.stored_config import check_parts, stored_config
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.safe_loading import load_checkpoint_file, state_dict_of
from muscle_mm.utils.toolbox import TOOLBOX_PACKAGES, require_toolbox, require_toolboxes_in

#: toolbox that a model's class is from -> what it predicts
KINDS = {'mmpretrain': 'classification', 'mmseg': 'segmentation', 'mmdet': 'detection'}


@dataclass(frozen=True)
class TrainedModel:
    """A trained model and what is needed to use it on new films.

    Attributes:
        model (nn.Module): The toolbox's model, in evaluation mode on its device.
        kind (str): 'classification', 'segmentation' or 'detection'.
        classes (tuple[str, ...]): Class names of the training data, in the order of the labels;
            empty where the checkpoint does not say.
        pipeline (list[dict]): Transforms of the test split, without those that load annotations.
        threshold (float): Score of class 1 of two from which on the test calls a film positive.
        checkpoint (Path): The file.
        cache (int, optional): Size of the cache that the test reads its films from, in pixels.
            Defaults to None: the test reads the files.
    """

    model: Any
    kind: str
    classes: tuple[str, ...]
    pipeline: list[dict[str, Any]]
    threshold: float
    checkpoint: Path
    cache: int | None = None

    def class_name(self, label: int) -> str:
        """Name a class.

        Args:
            label (int): Its number.

        Returns:
            str: Its name, or 'class N' where it has none.
        """
        return self.classes[label] if label < len(self.classes) else f'class {label}'


def load_trained_model(
    checkpoint: Path,
    config: Path | None = None,
    task: str | None = None,
    device: str | torch.device = 'cpu',
) -> TrainedModel:
    """Load a model of step 3, or one task of a model of step 2.

    Args:
        checkpoint (Path): File that mmengine's runner has written.
        config (Path, optional): Config file to use in place of the one in the checkpoint. It is
            executed, as every config is; the one in the checkpoint never is. Defaults to None.
        task (str, optional): The task of a model of step 2. Defaults to None.
        device (str | torch.device): Where the model runs. Defaults to 'cpu'.

    Returns:
        TrainedModel: The model.

    Raises:
        UserError: If the checkpoint cannot be read, has no config that may be used, does not fit
            the config, or predicts nothing that is known here.
    """
    content = load_checkpoint_file(checkpoint)
    if config is None:
        settings = stored_config(content, checkpoint)
    elif config.is_file():
        settings = Config.fromfile(str(config))
    else:
        raise UserError(f'config {config} does not exist. Check the path.')
    weights = state_dict_of(content)
    meta = content.get('meta') or {}
    about = meta.get('dataset_meta') or {}
    source = str(config or checkpoint)
    model_config, data = settings.get('model') or {}, _test_data(settings)
    if 'tasks' in model_config:
        name = _choose_task(task, model_config['tasks'], source)
        model_config, weights = _task_alone(model_config, weights, name)
        data = (data.get('datasets') or {}).get(name) or {}
        about = (about.get('tasks') or {}).get(name) or {}
    elif task is not None:
        raise UserError(f'--task {task}: {source} has one task only. Leave --task out.')
    if not model_config.get('type') or not data.get('pipeline'):
        raise UserError(
            f'{source} has no model with a pipeline in its test_dataloader (or val_dataloader). '
            'A checkpoint of step 1 predicts nothing: fine-tune it first.'
        )
    pipeline = without_annotations(data['pipeline'])
    if config is None:
        check_parts([model_config, pipeline], checkpoint)
    scope = settings.get('default_scope') or 'mmengine'
    if scope in TOOLBOX_PACKAGES:
        require_toolbox(scope, needed_by=source)
    require_toolboxes_in([model_config, pipeline], needed_by=source)
    init_default_scope(scope)
    model = build_model(model_config, weights, source, str(checkpoint))
    kind = _kind_of(model, source)
    return TrainedModel(
        model=model.to(device),
        kind=kind,
        classes=tuple(map(str, about.get('classes') or ())),
        pipeline=pipeline,
        threshold=_threshold_of(settings, meta.get('validation_thresholds') or {}),
        checkpoint=checkpoint,
        # Masks and boxes would come out in the cache's pixels.
        cache=data.get('cache') if kind == 'classification' else None,
    )


def build_model(
    config: Mapping[str, Any], weights: Mapping[str, torch.Tensor], source: str, checkpoint: str
) -> Any:
    """Build a model and load all its weights.

    Args:
        config (Mapping): Config of the model. The toolboxes it is from are imported, and the
            default scope is set.
        weights (Mapping[str, Tensor]): Its state dict.
        source (str): Where the config is from, for the message.
        checkpoint (str): Where the weights are from, for the message.

    Returns:
        nn.Module: The model in evaluation mode.

    Raises:
        UserError: If a weight is missing, left over or of another shape.
    """
    model = MODELS.build(dict(config))
    try:
        model.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        first = ' '.join(str(error).split('\n', 2)[1:2]).strip()
        raise UserError(f'{checkpoint} does not fit the model of {source}. {first}') from error
    return model.eval()


def without_annotations(pipeline: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Take the transforms that load labels, masks or boxes out of a pipeline.

    Args:
        pipeline (list[dict]): Transforms.

    Returns:
        list[dict]: The others.
    """
    return [step for step in pipeline if not str(step['type']).endswith('LoadAnnotations')]


def _test_data(settings: Config) -> Mapping[str, Any]:
    """Find the config of the data set that a model is tested on, or else validated on."""
    for name in ('test_dataloader', 'val_dataloader'):
        loader = settings.get(name)
        if loader:
            return loader.get('dataset') or {}
    return {}


def _choose_task(task: str | None, tasks: Mapping[str, Any], source: str) -> str:
    """Check the name of a task of step 2."""
    if task not in tasks:
        asked = 'a model of several tasks' if task is None else f'without the task {task!r}'
        raise UserError(f'{source} is {asked}. Choose one: --task {"|".join(tasks)}.')
    return str(task)


def _task_alone(
    config: Mapping[str, Any], weights: Mapping[str, Any], name: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take one task's model out of a ``MultiTaskPretrainer``.

    Its backbone is the shared one, with what the task has of its own: BatchNorm statistics.
    """
    task = config['tasks'][name]
    backbone = {**config['backbone'], **(task.get('backbone') or {})}
    start = f'tasks.{name}.'
    own = {key[len(start) :]: value for key, value in weights.items() if key.startswith(start)}
    shared = {key: value for key, value in weights.items() if key.startswith('backbone.')}
    scope = str(task.get('type')).partition('.')[0]
    return {**task, 'backbone': backbone, '_scope_': scope}, {**shared, **own}


def _kind_of(model: Any, source: str) -> str:
    """Tell from a model's class, or one that it extends, what it predicts."""
    for base in type(model).__mro__:
        kind = KINDS.get(base.__module__.partition('.')[0])
        if kind is not None:
            return kind
    raise UserError(
        f'{source}: {type(model).__name__} is no model of mmpretrain, mmseg or mmdet, so that it '
        'is not known what it predicts.'
    )


def _threshold_of(settings: Config, thresholds: Mapping[str, float]) -> float:
    """Read the threshold of the test's metric, 0.5 where nothing says it.

    Args:
        settings (Config): The config.
        thresholds (Mapping[str, float]): Those that ``ValidationThresholdHook`` has kept in the
            checkpoint.

    Returns:
        float: The threshold.
    """
    evaluators = settings.get('test_evaluator') or []
    for evaluator in evaluators if isinstance(evaluators, list) else [evaluators]:
        threshold = evaluator.get('threshold')
        if threshold == 'validation':
            threshold = thresholds.get(f'{evaluator.get("prefix") or "binary"}/threshold')
        if isinstance(threshold, (int, float)):
            return float(threshold)
    return 0.5

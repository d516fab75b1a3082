# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Several toolboxes' models around one backbone (step 2 of MUSCLE)."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mmengine.model import BaseDataPreprocessor, BaseModel, ModuleDict
from torch import Tensor, nn

from muscle_mm.models.batch_norm_statistics import (
    batch_norms,
    copy_statistics,
    mix_statistics,
)
from muscle_mm.models.memories.cross_task_memory import CrossTaskMemory
from muscle_mm.models.tied_backbone import add_tied, drop_tied, tie_again, tie_backbone
from muscle_mm.registry import MODELS
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.toolbox import toolbox_of

#: What the tasks have in common of the backbone's BatchNorm.
BATCH_NORM_POLICIES = ('shared', 'frozen', 'per_task')


def single_task(names: Any, known: Iterable[str]) -> str:
    """Read the one task of a batch.

    Args:
        names (Any): The batch's ``task`` entry: a name, or one name per sample.
        known (Iterable[str]): The model's tasks.

    Returns:
        str: The task's name.

    Raises:
        UserError: If the batch mixes tasks, or names one that the model does not have.
    """
    unique = {names} if isinstance(names, str) else set(names)
    if len(unique) != 1:
        raise UserError(
            f'a batch holds samples of several tasks {sorted(unique)}: use '
            "batch_sampler=dict(type='muscle_mm.CyclicTaskBatchSampler', ...) in train_dataloader."
        )
    name = unique.pop()
    if name not in known:
        raise UserError(
            f'the data set has a task {name!r} that model.tasks does not have: {sorted(known)}.'
        )
    return name


class TaskDataPreprocessor(BaseDataPreprocessor):
    """Hand a batch to the data preprocessor of its task's model.

    Args:
        preprocessors (Mapping[str, nn.Module]): Data preprocessor of each task's model.
    """

    def __init__(self, preprocessors: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.preprocessors = nn.ModuleDict(preprocessors)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Prepare a batch of one task.

        Args:
            data (dict[str, Any]): ``task``, and what the task's preprocessor takes.
            training (bool): Whether the batch is for training. Defaults to False.

        Returns:
            dict[str, Any]: What the task's preprocessor returns, and ``task``.
        """
        data = dict(data)
        task = single_task(data.pop('task'), self.preprocessors.keys())
        return {'task': task, **self.preprocessors[task](data, training)}


@MODELS.register_module()
class MultiTaskPretrainer(BaseModel):
    """Train one backbone through several unmodified mm models, one task a batch.

    Each task is an mm model whose backbone runs the shared weights in the task's own geometry. A
    step touches the backbone and one task's head; the other heads have no gradient (None, not
    zero), so that momentum and weight decay leave them alone.

    Source: Liao et al., MUSCLE, MICCAI 2022, section 2 (multi-task continual learning). The paper
    says nothing about BatchNorm; ``batch_norm`` is our choice. It concerns the running statistics
    of the backbone alone: its affine weights are shared and train under each policy, and a head's
    own BatchNorm is left as it is.

    - ``'shared'``: one set, moved by the batches of all tasks in turn.
    - ``'frozen'``: one set, used in place of the batch's statistics and never updated, as the
      toolboxes' ``norm_eval=True``. For a pre-trained backbone: from scratch it switches BatchNorm
      off.
    - ``'per_task'``: each task has its own set, moved by its own batches. ``backbone`` holds the
      exact moments of their equal mixture, so that its part of a checkpoint remains a plain and
      complete backbone; a task's own set is saved below ``tasks.<task>.backbone.``. Weights that
      know no such sets (step 1) fill all of them. A set is as old as its task's last visit: the
      weights have moved on since.

    Args:
        backbone (dict): Config of the shared backbone.
        tasks (dict[str, dict]): For each task's name the config of an mm model with its scope
            (``type='mmdet.FasterRCNN'``), without its backbone, or with a ``backbone`` that holds
            only what differs in this task's geometry: ``dict(strides=(1, 2, 1, 1), dilations=(1, 1,
            2, 4))``. Layers that normalise a single output (``norm<i>`` of ConvNeXt and Swin)
            belong to the task where the shared backbone does not have this output.
        memory (dict, optional): Config of a cross-task memory, for example
            ``dict(type='muscle_mm.FeatureDistillation', weight=1.0)``. Defaults to None: none.
        batch_norm (str): ``'shared'``, ``'frozen'`` or ``'per_task'``, as above; without effect on
            a backbone without BatchNorm (ConvNeXt, Swin). Defaults to ``'shared'``.
        loss_weights (dict[str, float], optional): Factor of a task's losses, for example
            ``dict(tbx=0.5)``. As with the toolboxes' own ``loss_weight``, the logged losses are
            those that are minimised, with their factor. The memory's loss has its own ``weight``.
            Defaults to None: 1 for each task.
        init_cfg (dict, optional): mmengine's weight initialisation. Defaults to None.

    Raises:
        UserError: If there is no task, a task's name holds 'loss', a type lacks its scope, a
            toolbox is missing, a task's backbone changes more than geometry, ``batch_norm`` is none
            of the three, or a loss weight is not positive or of no task.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        tasks: dict[str, dict[str, Any]],
        memory: dict[str, Any] | None = None,
        batch_norm: str = 'shared',
        loss_weights: dict[str, float] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if not tasks:
            raise UserError('model.tasks is empty: MultiTaskPretrainer needs at least one task.')
        for name in tasks:
            # mmengine adds up whatever is called so, an accuracy of this task as well.
            if 'loss' in name:
                raise UserError(
                    f"model.tasks: {name!r} has 'loss' in its name, by which mmengine tells losses "
                    'from what is logged only. Give the task another name.'
                )
        if batch_norm not in BATCH_NORM_POLICIES:
            raise UserError(
                f'model.batch_norm={batch_norm!r}: must be one of '
                f'{", ".join(map(repr, BATCH_NORM_POLICIES))}.'
            )
        self.batch_norm = batch_norm
        self.loss_weights = _checked_loss_weights(loss_weights or {}, tasks)
        scope = toolbox_of(backbone.get('type'), 'model.backbone')
        self.backbone = MODELS.build({**backbone, '_scope_': scope})
        #: For each task the names of what its backbone does not share.
        self._own_names: dict[str, frozenset[str]] = {}
        built = {name: self._build_task(name, config, backbone) for name, config in tasks.items()}
        # mmengine's, not torch's, which would not pass init_weights on to the heads.
        self.tasks: Any = ModuleDict(built)
        self.data_preprocessor = TaskDataPreprocessor(
            {name: task.data_preprocessor for name, task in built.items()}
        )
        self.memory: CrossTaskMemory | None = None
        if memory is not None:
            self.memory = MODELS.build(memory)
            self.memory.attach(self.backbone, self._variants())
        self._register_state_dict_hook(_drop_tied_weights)
        self._register_load_state_dict_pre_hook(self._add_tied_weights)

    def _build_task(self, name: str, config: dict[str, Any], shared_config: dict[str, Any]) -> Any:
        scope = toolbox_of(config.get('type'), f'model.tasks.{name}')
        geometry = config.get('backbone') or {}
        # The scope makes the model's inner parts resolve in their own toolbox, whatever the
        # default.
        task = MODELS.build({**config, 'backbone': {**shared_config, **geometry}, '_scope_': scope})
        self._own_names[name] = tie_backbone(
            task.backbone, self.backbone, name, self.own_statistics
        )
        # The shared backbone is initialised once, by this model.
        task.backbone._is_init = True
        return task

    @property
    def own_statistics(self) -> bool:
        """bool: Whether each task has running statistics of its own."""
        return self.batch_norm == 'per_task'

    def _variants(self) -> dict[str, nn.Module]:
        """dict[str, nn.Module]: Each task's backbone."""
        return {name: task.backbone for name, task in self.tasks.items()}

    def init_weights(self) -> None:
        """Initialise the shared backbone and the heads; all tasks start with its statistics."""
        super().init_weights()
        if self.own_statistics:
            for variant in self._variants().values():
                copy_statistics(self.backbone, variant)

    def train(self, mode: bool = True) -> 'MultiTaskPretrainer':
        """Set the training mode; frozen BatchNorm stays in evaluation mode.

        Args:
            mode (bool): Training mode. Defaults to True.

        Returns:
            MultiTaskPretrainer: Itself.
        """
        super().train(mode)
        if self.batch_norm == 'frozen':
            for backbone in (self.backbone, *self._variants().values()):
                for layer in batch_norms(backbone).values():
                    layer.eval()
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        """Move to a device or type: tie first what a conversion to SyncBatchNorm has untied."""
        for variant in self._variants().values():
            tie_again(variant, self.backbone, self.own_statistics)
        return super()._apply(fn, recurse)

    def _add_tied_weights(self, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
        """Before loading: give each tied backbone the shared weights that were saved once."""
        start = f'{prefix}backbone.'
        shared = {
            key[len(start) :]: value for key, value in state_dict.items() if key.startswith(start)
        }
        for name, variant in self._variants().items():
            tied = f'{prefix}tasks.{name}.backbone.'
            add_tied(state_dict, tied, self._own_names[name], variant, shared)

    def forward(
        self,
        task: str,
        inputs: Tensor,
        data_samples: list[Any] | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """Run one task's model.

        Args:
            task (str): The task's name.
            inputs (Tensor): (N, 3, H, W) float32.
            data_samples (list, optional): The toolbox's data samples. Defaults to None.
            mode (str): ``'loss'``, ``'predict'`` or ``'tensor'``. Defaults to ``'tensor'``.

        Returns:
            Any: For ``'loss'`` the task's losses, named ``<task>.<loss>``, with ``memory.loss``
            where a memory has something to remember; otherwise what the task's model returns.
        """
        if mode != 'loss':
            return self.tasks[task](inputs, data_samples, mode=mode)
        if self.memory is None:
            losses = self._task_losses(task, inputs, data_samples)
        else:
            with self.memory.watch(task):
                losses = self._task_losses(task, inputs, data_samples)
            self.memory.before_backward(losses)
            if self.memory.ready:
                losses['memory.loss'] = self.memory.loss(task)
        if self.training and self.own_statistics:
            mix_statistics(self.backbone, list(self._variants().values()))
        return losses

    def _task_losses(
        self, task: str, inputs: Tensor, data_samples: list[Any] | None
    ) -> dict[str, Any]:
        losses = self.tasks[task](inputs, data_samples, mode='loss')
        weight = self.loss_weights[task]
        return {
            # mmengine, too, takes for a loss what is called so, and an accuracy for no loss.
            f'{task}.{key}': _scaled(value, weight) if weight != 1 and 'loss' in key else value
            for key, value in losses.items()
        }


def _scaled(loss: Any, weight: float) -> Any:
    """Scale a loss, or a list of losses (one a feature level) as mmdet's heads give it."""
    return [part * weight for part in loss] if isinstance(loss, (list, tuple)) else loss * weight


def _checked_loss_weights(weights: Mapping[str, float], tasks: Iterable[str]) -> dict[str, float]:
    """Fill in and check the tasks' loss weights."""
    tasks = list(tasks)
    unknown = sorted(set(weights) - set(tasks))
    if unknown:
        raise UserError(
            f'model.loss_weights names {unknown}, which are no tasks of the model: {sorted(tasks)}.'
        )
    for task, weight in weights.items():
        if not (weight > 0 and math.isfinite(weight)):
            raise UserError(
                f'model.loss_weights[{task!r}]={weight}: must be positive. To train without a '
                'task, leave it out of model.tasks and of the data set.'
            )
    return {task: float(weights.get(task, 1.0)) for task in tasks}


def _drop_tied_weights(
    module: nn.Module, state_dict: dict[str, Any], prefix: str, _local_metadata: Any
) -> None:
    """After ``state_dict``: keep the shared weights once, under ``backbone.``."""
    for name, own in module._own_names.items():  # type: ignore[operator, union-attr]
        drop_tied(state_dict, f'{prefix}tasks.{name}.backbone.', own)

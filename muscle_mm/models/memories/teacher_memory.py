# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Memories that hold a second backbone and compare features with it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from muscle_mm.models.batch_norm_statistics import batch_norms
from muscle_mm.models.memories.cross_task_memory import CrossTaskMemory
from muscle_mm.models.tied_backbone import tie_again, tie_backbone


class TeacherMemory(CrossTaskMemory):
    """Keeps features near those of a teacher backbone on the current batch.

    The teacher runs in the task's geometry, in evaluation mode and without gradient. Its BatchNorm
    alone does what the student's does, so that equal weights have no distance: where the student
    normalises by the batch's statistics, so does the teacher, by those of its own features. Running
    statistics would be of older weights, or of another task's films. The teacher keeps them as a
    part of a complete backbone, and uses them where the student does (frozen BatchNorm).

    Distance: one minus the cosine between the two feature vectors at each position, averaged over
    positions, samples and feature maps (our choice: the cosine does not depend on the scale of a
    stage).

    Args:
        weight (float): Factor of the distance in the loss. Defaults to 1.0.
    """

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__(weight)
        self.teachers = nn.ModuleDict()
        # Not registered as parts of the memory.
        self._students: dict[str, nn.Module] = {}
        self._shared: tuple[nn.Module, ...] = ()
        self._seen: tuple[Tensor, Sequence[Tensor]] | None = None
        self._register_state_dict_hook(_keep_one_teacher)
        self._register_load_state_dict_pre_hook(self._fill_teachers)

    def attach(self, shared: nn.Module, variants: Mapping[str, nn.Module]) -> None:
        """Build one frozen teacher per task, all on the same weights.

        Args:
            shared (nn.Module): The backbone that is remembered.
            variants (Mapping[str, nn.Module]): Each task's backbone, in its own geometry.
        """
        self._students = dict(variants)
        self._shared = (shared,)
        for name, variant in variants.items():
            teacher: Any = deepcopy(variant).requires_grad_(False)
            teacher._is_init = True
            for layer in batch_norms(teacher).values():
                layer.momentum = 0.0  # a batch does not move the running statistics
            self.teachers[name] = teacher
        for name, teacher in self.teachers.items():
            tie_backbone(teacher, self.teacher, name)

    @property
    def teacher(self) -> nn.Module:
        """nn.Module: The teacher that owns the weights."""
        return next(iter(self.teachers.values()))

    @property
    def student(self) -> nn.Module:
        """nn.Module: The backbone that holds the shared weights."""
        return self._shared[0]

    def train(self, mode: bool = True) -> 'TeacherMemory':
        """Set the training mode of everything but the teachers, which stay in evaluation mode.

        Args:
            mode (bool): Training mode. Defaults to True.

        Returns:
            TeacherMemory: Itself.
        """
        super().train(mode)
        self.teachers.eval()
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        """Move to a device or type: tie first what a conversion to SyncBatchNorm has untied."""
        for teacher in self.teachers.values():
            tie_again(teacher, self.teacher)
        return super()._apply(fn, recurse)

    @torch.no_grad()
    def remember(self) -> None:
        """Copy the shared backbone into the teacher."""
        self.teacher.load_state_dict(self.student.state_dict())
        self.remembered.fill_(True)

    @contextmanager
    def watch(self, task: str) -> Iterator[None]:
        """Keep the input and the feature maps of the task's backbone.

        Args:
            task (str): Task of the current batch.

        Yields:
            None: Nothing.
        """

        def keep(_module: nn.Module, inputs: tuple[Any, ...], outputs: Any) -> None:
            self._seen = (inputs[0], outputs if isinstance(outputs, (tuple, list)) else (outputs,))

        handle = self._students[task].register_forward_hook(keep)
        try:
            yield
        finally:
            handle.remove()

    def loss(self, task: str) -> Tensor:
        """Weighted feature distance on the batch that was watched.

        Args:
            task (str): Task of the current batch.

        Returns:
            Tensor: Scalar.

        Raises:
            RuntimeError: If no batch was watched.
        """
        if self._seen is None:
            raise RuntimeError('loss() needs a batch: call it after `with memory.watch(task)`.')
        images, features = self._seen
        self._seen = None
        teacher = self.teachers[task]
        student_layers = batch_norms(self._students[task])
        for path, layer in batch_norms(teacher).items():
            layer.train(student_layers[path].training)
        with torch.no_grad():
            remembered = teacher(images)
        teacher.eval()
        distances = [
            1 - cosine_similarity(feature, target, dim=1).mean()
            for feature, target in zip(features, remembered, strict=True)
        ]
        return self.weight * torch.stack(distances).mean()

    def _fill_teachers(self, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
        """Before loading: the teacher was saved once, under ``teacher.``."""
        start = f'{prefix}teacher.'
        saved = {key: state_dict.pop(key) for key in list(state_dict) if key.startswith(start)}
        for name in self.teachers:
            for key, value in saved.items():
                state_dict[f'{prefix}teachers.{name}.{key[len(start) :]}'] = value


def _keep_one_teacher(
    module: nn.Module, state_dict: dict[str, Any], prefix: str, _local_metadata: Any
) -> None:
    """After ``state_dict``: keep the teacher's weights once, under ``teacher.``."""
    for position, name in enumerate(module.teachers):  # type: ignore[arg-type]
        start = f'{prefix}teachers.{name}.'
        for key in [key for key in state_dict if key.startswith(start)]:
            value = state_dict.pop(key)
            if position == 0:
                state_dict[f'{prefix}teacher.{key[len(start) :]}'] = value

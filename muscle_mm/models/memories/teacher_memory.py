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
from muscle_mm.models.tied_backbone import add_tied, drop_tied, tie_again, tie_backbone


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

    The teacher's forward pass is about a third of a training step. It runs at every ``interval``-th
    step alone, where its distance counts ``interval`` times, so that the mean gradient stays the
    same (not quite what clipping and an adaptive optimizer make of it). Source: the lazy
    regularization of Karras et al., "Analyzing and Improving the Image Quality of StyleGAN",
    CVPR 2020, section 3.1.

    Args:
        weight (float): Factor of the distance in the loss. Defaults to 1.0.
        interval (int): Training steps from one look at the teacher to the next; 1 looks at each.
            Defaults to 2, our choice.

    Raises:
        ValueError: If the weight is negative, or the interval is less than 1.
    """

    def __init__(self, weight: float = 1.0, interval: int = 2) -> None:
        super().__init__(weight)
        if interval < 1:
            raise ValueError(f'memory.interval={interval}: must be at least 1.')
        self.interval = interval
        self._keep_count('steps', 0)  # a resumed run looks at the same steps
        # The teacher in each task's geometry, on the weights of one.
        self.teachers = nn.ModuleDict()
        self._own_names: dict[str, frozenset[str]] = {}
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
        self.teacher: nn.Module = _frozen_copy(shared)
        for name, variant in variants.items():
            self.teachers[name] = _frozen_copy(variant)
            self._own_names[name] = tie_backbone(self.teachers[name], self.teacher, name)

    @property
    def student(self) -> nn.Module:
        """nn.Module: The backbone that holds the shared weights."""
        return self._shared[0]

    def teacher_and_student(self) -> tuple[list[Tensor], list[Tensor]]:
        """Pair what the teacher holds with what it is made of.

        Returns:
            tuple[list[Tensor], list[Tensor]]: The teacher's tensors, and in the same order those of
            the student: the shared ones, and what single tasks' backbones have of their own.
        """
        own, current = self.teacher.state_dict(), self.student.state_dict()
        teachers, students = list(own.values()), [current[name] for name in own]
        for task, names in self._own_names.items():
            if names:
                own, current = self.teachers[task].state_dict(), self._students[task].state_dict()
                teachers += [own[name] for name in names]
                students += [current[name] for name in names]
        return teachers, students

    @property
    def ready(self) -> bool:
        """bool: Whether something is remembered and counts at this step."""
        return super().ready and self._counts['steps'] % self.interval == 0

    def forget(self) -> None:
        """Begin again: the teacher is the backbone that the next visit's end finds."""
        super().forget()
        self._keep_count('steps', 0)

    def after_step(self) -> None:
        """Count the step."""
        self._keep_count('steps', self._counts['steps'] + 1)

    def train(self, mode: bool = True) -> 'TeacherMemory':
        """Set the training mode of everything but the teachers, which stay in evaluation mode.

        Args:
            mode (bool): Training mode. Defaults to True.

        Returns:
            TeacherMemory: Itself.
        """
        super().train(mode)
        self.teacher.eval()
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
        for own, current in zip(*self.teacher_and_student(), strict=True):
            own.copy_(current)
        self._note_remembered()

    @contextmanager
    def watch(self, task: str) -> Iterator[None]:
        """Keep the input and the feature maps of the task's backbone.

        Args:
            task (str): Task of the current batch.

        Yields:
            None: Nothing.
        """
        if not self.ready:
            yield
            return

        def keep(_module: nn.Module, inputs: tuple[Any, ...], outputs: Any) -> None:
            self._seen = (inputs[0], outputs if isinstance(outputs, (tuple, list)) else (outputs,))

        handle = self._students[task].register_forward_hook(keep)
        try:
            yield
        finally:
            handle.remove()

    def loss(self, task: str) -> Tensor:
        """Weighted feature distance on the batch that was watched, ``interval`` times.

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
            # bfloat16 has no numbers between 0.996 and 1.
            1 - cosine_similarity(feature.float(), target.float(), dim=1).mean()
            for feature, target in zip(features, remembered, strict=True)
        ]
        return self.weight * self.interval * torch.stack(distances).mean()

    def _fill_teachers(self, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
        """Before loading: the teacher was saved once, under ``teacher.``."""
        start = f'{prefix}teacher.'
        shared = {
            key[len(start) :]: value for key, value in state_dict.items() if key.startswith(start)
        }
        for name, teacher in self.teachers.items():
            tied = f'{prefix}teachers.{name}.'
            add_tied(state_dict, tied, self._own_names[name], teacher, shared)


def _frozen_copy(backbone: nn.Module) -> nn.Module:
    copy: Any = deepcopy(backbone).requires_grad_(False)
    copy._is_init = True
    for layer in batch_norms(copy).values():
        layer.momentum = 0.0  # a batch does not move the running statistics
    return copy


def _keep_one_teacher(
    module: nn.Module, state_dict: dict[str, Any], prefix: str, _local_metadata: Any
) -> None:
    """After ``state_dict``: keep the teacher's weights once, under ``teacher.``."""
    for name, own in module._own_names.items():  # type: ignore[operator, union-attr]
        drop_tied(state_dict, f'{prefix}teachers.{name}.', own)

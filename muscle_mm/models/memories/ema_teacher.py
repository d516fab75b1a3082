# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Cross-task memory by a teacher that follows slowly."""

import torch

from muscle_mm.models.memories.teacher_memory import TeacherMemory
from muscle_mm.registry import MODELS


@MODELS.register_module()
class EMATeacher(TeacherMemory):
    """The teacher is the exponential moving average of the backbone over all steps.

    Source of the idea: Ma et al., "Foundation Ark", MICCAI 2023 (arXiv 2310.09507). Unlike there,
    the BatchNorm statistics are averaged too, so that the teacher's weights and statistics belong
    together.

    Args:
        weight (float): Factor of the distance in the loss. Defaults to 1.0.
        momentum (float): Share of itself that the teacher keeps at each step, in [0, 1]. Defaults
            to 0.999.
        interval (int): Training steps from one look at the teacher to the next. Defaults to 2.

    Raises:
        ValueError: If weight, momentum or interval are out of range.
    """

    def __init__(self, weight: float = 1.0, momentum: float = 0.999, interval: int = 2) -> None:
        super().__init__(weight, interval)
        if not 0 <= momentum <= 1:
            raise ValueError(f'memory.momentum={momentum}: must be between 0 and 1.')
        self.momentum = momentum

    def remember(self) -> None:
        """Start the average at the end of the first visit; later visits' ends change nothing."""
        if not self._has_remembered:
            super().remember()

    @torch.no_grad()
    def after_step(self) -> None:
        """Move the teacher towards the backbone, once it has started."""
        super().after_step()
        if not self._has_remembered:
            return
        pairs = zip(*self.teacher_and_student(), strict=True)
        own, current = zip(*(pair for pair in pairs if pair[0].is_floating_point()), strict=True)
        torch._foreach_lerp_(own, current, 1 - self.momentum)

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

    Raises:
        ValueError: If the momentum is out of range.
    """

    def __init__(self, weight: float = 1.0, momentum: float = 0.999) -> None:
        super().__init__(weight)
        if not 0 <= momentum <= 1:
            raise ValueError(f'memory.momentum={momentum}: must be between 0 and 1.')
        self.momentum = momentum

    def remember(self) -> None:
        """Start the average at the end of the first visit; later visits' ends change nothing."""
        if not bool(self.remembered):
            super().remember()

    @torch.no_grad()
    def after_step(self) -> None:
        """Move the teacher towards the backbone, once it has started."""
        if not bool(self.remembered):
            return
        own = self.teacher.state_dict()
        current = self.student.state_dict()
        floating = [name for name, value in own.items() if value.is_floating_point()]
        torch._foreach_lerp_(
            [own[name] for name in floating],
            [current[name] for name in floating],
            1 - self.momentum,
        )

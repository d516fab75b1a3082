# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Cross-task memory by feature distillation."""

from muscle_mm.models.memories.teacher_memory import TeacherMemory
from muscle_mm.registry import MODELS


@MODELS.register_module()
class FeatureDistillation(TeacherMemory):
    """The backbone of the last visit's end is a frozen teacher on the current batch.

    Source of the idea: Li and Hoiem, "Learning without Forgetting", ECCV 2016, on features in place
    of class scores. Its use as MUSCLE's memory is our choice.

    Args:
        weight (float): Factor of the distance in the loss. Defaults to 1.0.
        interval (int): Training steps from one look at the teacher to the next. Defaults to 2.
    """

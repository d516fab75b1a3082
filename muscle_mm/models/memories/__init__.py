# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Cross-task memories: what keeps earlier tasks alive in the shared backbone."""

from muscle_mm.models.memories.cross_task_memory import CrossTaskMemory
from muscle_mm.models.memories.ema_teacher import EMATeacher
from muscle_mm.models.memories.feature_distillation import FeatureDistillation
from muscle_mm.models.memories.weight_anchor import WeightAnchor

__all__ = ['CrossTaskMemory', 'EMATeacher', 'FeatureDistillation', 'WeightAnchor']

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Models: MD-MoCo, the multi-task model and its cross-task memories."""

from muscle_mm.models.backbone_init import BackboneInit, extract_backbone
from muscle_mm.models.grey_data_preprocessor import GreyDataPreprocessor
from muscle_mm.models.key_queue import KeyQueue
from muscle_mm.models.md_moco import MDMoCo
from muscle_mm.models.memories import (
    CrossTaskMemory,
    EMATeacher,
    FeatureDistillation,
    WeightAnchor,
)
from muscle_mm.models.multi_task_pretrainer import MultiTaskPretrainer
from muscle_mm.models.views_data_preprocessor import ViewsDataPreprocessor

__all__ = [
    'BackboneInit',
    'CrossTaskMemory',
    'EMATeacher',
    'FeatureDistillation',
    'GreyDataPreprocessor',
    'KeyQueue',
    'MDMoCo',
    'MultiTaskPretrainer',
    'ViewsDataPreprocessor',
    'WeightAnchor',
    'extract_backbone',
]

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Loop, hooks, mixed precision and learning rate."""

from muscle_mm.engine.atomic_checkpoint_hook import AtomicCheckpointHook
from muscle_mm.engine.bfloat16_optim_wrapper import BFloat16OptimWrapper
from muscle_mm.engine.continual_multi_task_hook import ContinualMultiTaskHook
from muscle_mm.engine.continual_train_loop import ContinualTrainLoop
from muscle_mm.engine.cyclic_restart_lr import CyclicRestartLR
from muscle_mm.engine.exact_resume_hook import ExactResumeHook
from muscle_mm.engine.finite_loss_hook import FiniteLossHook
from muscle_mm.engine.momentum_update_hook import MomentumUpdateHook
from muscle_mm.engine.provenance_hook import ProvenanceHook
from muscle_mm.engine.representation_hook import RepresentationHook
from muscle_mm.engine.test_after_train_hook import TestAfterTrainHook
from muscle_mm.engine.test_predictions_hook import TestPredictionsHook
from muscle_mm.engine.validation_threshold_hook import ValidationThresholdHook

__all__ = [
    'AtomicCheckpointHook',
    'BFloat16OptimWrapper',
    'ContinualMultiTaskHook',
    'ContinualTrainLoop',
    'CyclicRestartLR',
    'ExactResumeHook',
    'FiniteLossHook',
    'MomentumUpdateHook',
    'ProvenanceHook',
    'RepresentationHook',
    'TestAfterTrainHook',
    'TestPredictionsHook',
    'ValidationThresholdHook',
]

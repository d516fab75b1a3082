# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Samplers: for reproducible samples, and for batches of several tasks."""

from muscle_mm.datasets.samplers.cyclic_task_batch_sampler import CyclicTaskBatchSampler
from muscle_mm.datasets.samplers.epoch_sampler import EpochSampler
from muscle_mm.datasets.samplers.sequential_task_batch_sampler import SequentialTaskBatchSampler

__all__ = ['CyclicTaskBatchSampler', 'EpochSampler', 'SequentialTaskBatchSampler']

"""Ablation: MUSCLE with BatchNorm statistics of each task's own."""

_base_ = ['../muscle_resnet18_3rounds_xray4.py']

model = dict(batch_norm='per_task')

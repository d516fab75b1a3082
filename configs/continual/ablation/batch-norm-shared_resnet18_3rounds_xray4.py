"""Ablation: MUSCLE with one set of BatchNorm statistics, moved by the batches of all tasks."""

_base_ = ['../muscle_resnet18_3rounds_xray4.py']

model = dict(batch_norm='shared')

"""Ablation: the schedule of MUSCLE without a memory."""

_base_ = ['../muscle_resnet18_3rounds_xray4.py']

model = dict(memory=None)

"""Ablation of ResNet-50: the schedule of MUSCLE without a memory."""

_base_ = ['../muscle_resnet50_3rounds_xray4.py']

model = dict(memory=None)

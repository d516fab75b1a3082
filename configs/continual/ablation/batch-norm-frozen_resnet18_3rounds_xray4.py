"""Ablation: MUSCLE with the BatchNorm statistics that MD-MoCo left, never updated."""

_base_ = ['../muscle_resnet18_3rounds_xray4.py']

model = dict(batch_norm='frozen')

"""Pneumonia: a fully connected layer on ResNet-50, under mmpretrain."""

_base_ = ['fc_resnet18_1xb32-50e_pneumonia-224px.py']

model = dict(backbone=dict(depth=50), head=dict(in_channels=2048))

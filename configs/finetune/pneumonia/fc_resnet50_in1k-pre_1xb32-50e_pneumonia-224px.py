"""Pneumonia: a fully connected layer on ResNet-50, from ImageNet."""

_base_ = ['fc_resnet50_1xb32-50e_pneumonia-224px.py']

model = dict(backbone=dict(init_cfg=dict(checkpoint='torchvision://resnet50')))

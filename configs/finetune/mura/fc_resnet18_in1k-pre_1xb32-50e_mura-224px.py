"""MURA: a fully connected layer on ResNet-18, from ImageNet."""

_base_ = ['fc_resnet18_1xb32-50e_mura-224px.py']

model = dict(backbone=dict(init_cfg=dict(checkpoint='torchvision://resnet18')))

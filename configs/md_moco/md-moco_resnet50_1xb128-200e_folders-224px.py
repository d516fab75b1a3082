"""MD-MoCo (step 1) of ResNet-50 on folders of one's own films."""

_base_ = ['md-moco_resnet18_1xb128-200e_folders-224px.py']

model = dict(backbone=dict(depth=50), neck=dict(in_channels=2048, hid_channels=2048))

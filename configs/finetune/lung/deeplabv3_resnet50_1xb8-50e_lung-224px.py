"""Lung: DeepLab-V3 on ResNet-50, under mmseg."""

_base_ = ['deeplabv3_resnet18_1xb8-50e_lung-224px.py']

model = dict(
    backbone=dict(depth=50),
    decode_head=dict(in_channels=2048, channels=512),
    auxiliary_head=dict(in_channels=1024, channels=256),
)

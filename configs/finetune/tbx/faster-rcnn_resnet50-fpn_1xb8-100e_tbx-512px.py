"""TBX: Faster R-CNN on ResNet-50, under mmdet."""

_base_ = ['faster-rcnn_resnet18-fpn_1xb8-100e_tbx-512px.py']

model = dict(backbone=dict(depth=50), neck=dict(in_channels=[256, 512, 1024, 2048]))

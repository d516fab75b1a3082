"""TBX: Faster R-CNN on ResNet-18, from ImageNet."""

_base_ = ['faster-rcnn_resnet18-fpn_1xb8-100e_tbx-512px.py']

model = dict(backbone=dict(init_cfg=dict(checkpoint='torchvision://resnet18')))

"""TBX: Faster R-CNN on ResNet-50, from MUSCLE."""

_base_ = ['faster-rcnn_resnet50-fpn_1xb8-100e_tbx-512px.py']

model = dict(
    backbone=dict(
        init_cfg=dict(checkpoint='{{$MUSCLE_CHECKPOINTS:checkpoints}}/muscle_resnet50.pth')
    )
)

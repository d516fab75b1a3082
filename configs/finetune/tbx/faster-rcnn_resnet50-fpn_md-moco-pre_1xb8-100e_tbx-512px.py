"""TBX: Faster R-CNN on ResNet-50, from MD-MoCo."""

_base_ = ['faster-rcnn_resnet50-fpn_1xb8-100e_tbx-512px.py']

model = dict(
    backbone=dict(
        init_cfg=dict(checkpoint='{{$MUSCLE_CHECKPOINTS:checkpoints}}/md_moco_resnet50.pth')
    )
)

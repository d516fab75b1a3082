"""Lung: DeepLab-V3 on ResNet-50, from MUSCLE--."""

_base_ = ['deeplabv3_resnet50_1xb8-50e_lung-224px.py']

model = dict(
    backbone=dict(
        init_cfg=dict(
            checkpoint='{{$MUSCLE_CHECKPOINTS:checkpoints}}/muscle_minus_minus_resnet50.pth'
        )
    )
)

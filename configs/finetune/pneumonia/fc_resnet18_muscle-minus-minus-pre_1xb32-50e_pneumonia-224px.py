"""Pneumonia: a fully connected layer on ResNet-18, from MUSCLE--."""

_base_ = ['fc_resnet18_1xb32-50e_pneumonia-224px.py']

model = dict(
    backbone=dict(
        init_cfg=dict(
            checkpoint='{{$MUSCLE_CHECKPOINTS:checkpoints}}/muscle_minus_minus_resnet18.pth'
        )
    )
)

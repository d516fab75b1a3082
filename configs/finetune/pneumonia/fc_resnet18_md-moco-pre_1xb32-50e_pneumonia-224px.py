"""Pneumonia: a fully connected layer on ResNet-18, from MD-MoCo."""

_base_ = ['fc_resnet18_1xb32-50e_pneumonia-224px.py']

model = dict(
    backbone=dict(
        init_cfg=dict(checkpoint='{{$MUSCLE_CHECKPOINTS:checkpoints}}/md_moco_resnet18.pth')
    )
)

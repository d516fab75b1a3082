"""MURA: a fully connected layer on ResNet-50, from MD-MoCo."""

_base_ = ['fc_resnet50_1xb32-50e_mura-224px.py']

model = dict(
    backbone=dict(
        init_cfg=dict(checkpoint='{{$MUSCLE_CHECKPOINTS:checkpoints}}/md_moco_resnet50.pth')
    )
)

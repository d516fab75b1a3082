"""Lung: DeepLab-V3 on ResNet-18, from MD-MoCo."""

_base_ = ['deeplabv3_resnet18_1xb8-50e_lung-224px.py']

model = dict(
    backbone=dict(
        init_cfg=dict(checkpoint='{{$MUSCLE_CHECKPOINTS:checkpoints}}/md_moco_resnet18.pth')
    )
)

"""MUSCLE's continual learning (step 2) of ResNet-50 on four tasks."""

_base_ = ['muscle_resnet18_3rounds_xray4.py']

model = dict(
    backbone=dict(depth=50),
    tasks=dict(
        pneumonia=dict(head=dict(in_channels=2048)),
        mura=dict(head=dict(in_channels=2048)),
        lung=dict(
            decode_head=dict(in_channels=2048, channels=512),
            auxiliary_head=dict(in_channels=1024, channels=256),
        ),
        tbx=dict(neck=dict(in_channels=[256, 512, 1024, 2048])),
    ),
)

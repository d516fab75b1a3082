"""Lung: DeepLab-V3 on ResNet-18, under mmseg. From scratch.

All values are our choice, the same for the five initialisations, and chosen so that Scratch is a
fair opponent: on the published 718 films 50 epochs are 4,450 iterations, and BatchNorm trains
everywhere.
"""

_base_ = [
    '../../_base_/models/resnet18.py',
    '../../_base_/datasets/lung.py',
    '../../_base_/schedules/finetune.py',
    '../../_base_/default_runtime.py',
]
default_scope = 'mmseg'

model = dict(**_base_.segmentation, backbone={**_base_.backbone, **_base_.segmentation_geometry})

train_dataloader = dict(
    batch_size=8,
    drop_last=True,  # BatchNorm after a global pooling cannot train on one film
    dataset=_base_.lung_train,
)
val_dataloader = dict(batch_size=8, dataset=_base_.lung_val)
test_dataloader = dict(batch_size=8, dataset=_base_.lung_test)
val_evaluator = _base_.lung_metric
test_evaluator = val_evaluator

default_hooks = dict(checkpoint=dict(save_best='segmentation/dice', rule='greater'))
auto_scale_lr = dict(enable=False, base_batch_size=8)

"""Lung: DeepLab-V3 on ResNet-18, under mmseg."""

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
    num_workers=2,
    persistent_workers=True,
    drop_last=True,  # BatchNorm after a global pooling cannot train on one film
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='pseudo_collate'),
    dataset=_base_.lung_train,
)
val_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=_base_.lung_val,
)
test_dataloader = {**val_dataloader, 'dataset': _base_.lung_test}
val_evaluator = _base_.lung_metric
test_evaluator = val_evaluator

default_hooks = dict(checkpoint=dict(save_best='segmentation/dice', rule='greater'))
custom_hooks = [dict(type='muscle_mm.TestAfterTrainHook')]

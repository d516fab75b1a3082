"""TBX: Faster R-CNN on ResNet-18, under mmdet."""

_base_ = [
    '../../_base_/models/resnet18.py',
    '../../_base_/datasets/tbx.py',
    '../../_base_/schedules/finetune.py',
    '../../_base_/default_runtime.py',
]
default_scope = 'mmdet'

model = dict(**_base_.detection, backbone={**_base_.backbone, **_base_.detection_geometry})

train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='pseudo_collate'),
    dataset=_base_.tbx_train,
)
val_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=_base_.tbx_val,
)
test_dataloader = {**val_dataloader, 'dataset': _base_.tbx_test}
val_evaluator = _base_.tbx_metric
test_evaluator = val_evaluator

default_hooks = dict(checkpoint=dict(save_best='detection/map', rule='greater'))
custom_hooks = [dict(type='muscle_mm.TestAfterTrainHook')]

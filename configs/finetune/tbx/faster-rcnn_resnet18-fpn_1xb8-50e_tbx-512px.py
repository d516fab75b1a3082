"""TBX: Faster R-CNN on ResNet-18, under mmdet."""

_base_ = [
    '../../_base_/models/resnet18.py',
    '../../_base_/datasets/tbx.py',
    '../../_base_/schedules/finetune.py',
    '../../_base_/default_runtime.py',
]
default_scope = 'mmdet'

model = dict(**_base_.detection, backbone={**_base_.backbone, **_base_.detection_geometry})

train_dataloader = dict(batch_size=8, dataset=_base_.tbx_train)
val_dataloader = dict(batch_size=8, dataset=_base_.tbx_val)
test_dataloader = dict(batch_size=8, dataset=_base_.tbx_test)
val_evaluator = _base_.tbx_metric
test_evaluator = val_evaluator

default_hooks = dict(checkpoint=dict(save_best='detection/map', rule='greater'))

"""TBX: Faster R-CNN on ResNet-18, under mmdet. From scratch.

All values are our choice, the same for the five initialisations, and chosen so that Scratch is a
fair opponent: a detector that starts from nothing needs a longer training than one that starts from
a trained backbone (He, Girshick, Dollar: "Rethinking ImageNet Pre-training", ICCV 2019). So twice
the epochs of the other tasks, which on the published 640 films are 8,000 iterations; and no layer
of the backbone is frozen, BatchNorm included.
"""

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

param_scheduler = [_base_.param_scheduler[0], {**_base_.param_scheduler[1], 'end': 100}]
train_cfg = dict(max_epochs=100, val_interval=2)
default_hooks = dict(checkpoint=dict(save_best='detection/map', rule='greater'))
auto_scale_lr = dict(enable=False, base_batch_size=8)

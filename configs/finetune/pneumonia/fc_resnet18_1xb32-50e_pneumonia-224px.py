"""Pneumonia: a fully connected layer on ResNet-18, under mmpretrain. From scratch.

All values are our choice, the same for the five initialisations, and chosen so that Scratch is a
fair opponent: on the published 4,686 films 50 epochs are 7,350 iterations.
"""

_base_ = [
    '../../_base_/models/resnet18.py',
    '../../_base_/datasets/classification.py',
    '../../_base_/schedules/finetune.py',
    '../../_base_/default_runtime.py',
]
default_scope = 'mmpretrain'

model = dict(**_base_.classification, backbone=_base_.backbone)

train_dataloader = dict(batch_size=32, dataset=_base_.pneumonia_train)
val_dataloader = dict(batch_size=32, dataset=_base_.pneumonia_val)
test_dataloader = dict(batch_size=32, dataset=_base_.pneumonia_test)
val_evaluator = _base_.pneumonia_metric
test_evaluator = val_evaluator

optim_wrapper = dict(optimizer=dict(lr=1e-3))
default_hooks = dict(checkpoint=dict(save_best='binary/auc', rule='greater'))
auto_scale_lr = dict(enable=False, base_batch_size=32)

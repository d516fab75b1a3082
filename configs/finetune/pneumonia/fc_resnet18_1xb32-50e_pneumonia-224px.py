"""Pneumonia: a fully connected layer on ResNet-18, under mmpretrain."""

_base_ = [
    '../../_base_/models/resnet18.py',
    '../../_base_/datasets/pneumonia.py',
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

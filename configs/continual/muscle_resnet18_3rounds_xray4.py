"""MUSCLE's continual learning (step 2) of ResNet-18 on four tasks, under mmpretrain.

Cross-task memory, three reshuffled rounds, a learning rate that restarts with each visit. Values:
our choice. From MD-MoCo:
--cfg-options model.backbone.init_cfg.checkpoint=PATH
"""

_base_ = [
    '../_base_/models/resnet18.py',
    '../_base_/datasets/classification.py',
    '../_base_/datasets/lung.py',
    '../_base_/datasets/tbx.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='muscle_mm.MultiTaskPretrainer',
    backbone=_base_.backbone,
    tasks=dict(
        pneumonia=_base_.classification,
        mura=_base_.classification,
        lung=dict(**_base_.segmentation, backbone=_base_.segmentation_geometry),
        tbx=dict(**_base_.detection, backbone=_base_.detection_geometry),
    ),
    memory=dict(type='muscle_mm.FeatureDistillation', weight=1.0),
    batch_norm='per_task',  # the best in our ablation, see benchmarks/README.md
)

batch_size = dict(pneumonia=32, mura=32, lung=8, tbx=8)
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=2,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),  # the batch sampler below decides
    batch_sampler=dict(
        type='muscle_mm.CyclicTaskBatchSampler', rounds=3, epochs_per_visit=1, reshuffle=True
    ),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='muscle_mm.MultiTaskDataset',
        datasets=dict(
            pneumonia=_base_.pneumonia_train,
            mura=_base_.mura_train,
            lung=_base_.lung_train,
            tbx=_base_.tbx_train,
        ),
    ),
)
val_dataloader = dict(
    batch_size=batch_size,
    num_workers=2,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    batch_sampler=dict(type='muscle_mm.SequentialTaskBatchSampler'),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='muscle_mm.MultiTaskDataset',
        datasets=dict(
            pneumonia=_base_.pneumonia_val,
            mura=_base_.mura_val,
            lung=_base_.lung_val,
            tbx=_base_.tbx_val,
        ),
    ),
)
test_dataloader = {
    **val_dataloader,
    'dataset': dict(
        type='muscle_mm.MultiTaskDataset',
        datasets=dict(
            pneumonia=_base_.pneumonia_test,
            mura=_base_.mura_test,
            lung=_base_.lung_test,
            tbx=_base_.tbx_test,
        ),
    ),
}
val_evaluator = [
    dict(
        type='muscle_mm.MultiTaskMetric',
        metrics=dict(
            pneumonia=_base_.pneumonia_metric,
            mura=_base_.mura_metric,
            lung=_base_.lung_metric,
            tbx=_base_.tbx_metric,
        ),
    )
]
test_evaluator = val_evaluator

optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=5e-4, weight_decay=0.01),
    clip_grad=dict(max_norm=10.0),
)
param_scheduler = [
    dict(type='muscle_mm.CyclicRestartLR', warmup_iters=10, end_factor=0.01, round_decay=0.7)
]
train_cfg = dict(type='muscle_mm.ContinualTrainLoop', val_interval=1)
val_cfg = dict()
test_cfg = dict()
find_unused_parameters = True  # a step uses one task's head
custom_hooks = [
    dict(
        type='muscle_mm.ContinualMultiTaskHook',
        score_keys=dict(
            pneumonia='binary/auc',
            mura='binary/auc',
            lung='segmentation/dice',
            tbx='detection/map',
        ),
        validate_before_training=True,
    )
]
log_processor = dict(by_epoch=False)
default_hooks = dict(
    checkpoint=dict(
        by_epoch=False, interval=500, save_best='continual/average_performance', rule='greater'
    )
)

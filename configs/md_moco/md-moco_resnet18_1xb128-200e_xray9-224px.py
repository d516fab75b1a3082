"""MD-MoCo (step 1) of ResNet-18 on the nine sets, under mmpretrain. Values: our choice."""

_base_ = [
    '../_base_/models/resnet18.py',
    '../_base_/datasets/xray9.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='muscle_mm.MDMoCo',
    backbone=_base_.backbone,
    neck=dict(
        type='mmpretrain.MoCoV2Neck',
        in_channels=512,
        hid_channels=512,
        out_channels=128,
        with_avg_pool=True,
    ),
    queue_len=16384,
    feature_dim=128,
    momentum=0.999,
    temperature=0.2,
    bn_splits=4,  # 32 films a part, as on each of MoCo's devices
    channels_last=True,
    data_preprocessor=dict(
        type='muscle_mm.ViewsDataPreprocessor', mean=_base_.mean, std=_base_.std
    ),
)
train_dataloader = dict(
    batch_size=128,
    num_workers=8,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='muscle_mm.EpochSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=_base_.xray9_train,
)

# bfloat16, with or without a GPU: --cfg-options optim_wrapper.type=muscle_mm.BFloat16OptimWrapper
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.01))
auto_scale_lr = dict(enable=False, base_batch_size=128)
# To change the length: --cfg-options train_cfg.max_epochs=N param_scheduler.1.end=N
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=20),
    dict(
        type='CosineAnnealingLR',
        eta_min_ratio=0.01,
        by_epoch=True,
        begin=0,
        end=200,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(by_epoch=True, max_epochs=200)
# With end_momentum=1.0 the momentum rises along a cosine, as in BYOL.
custom_hooks = [
    dict(type='muscle_mm.MomentumUpdateHook'),
    # The labels of one of the nine sets tell whether the features become useful.
    dict(
        type='muscle_mm.RepresentationHook',
        train=dict(
            type='muscle_mm.PneumoniaCXR',
            data_root=_base_.xray9_root + '/pneumonia',
            split='train',
            cache=_base_.xray9_cache,
        ),
        val=dict(
            type='muscle_mm.PneumoniaCXR',
            data_root=_base_.xray9_root + '/pneumonia',
            split='val',
            cache=_base_.xray9_cache,
        ),
        mean=_base_.mean,
        std=_base_.std,
        size=_base_.xray9_size,
        interval=10,
    ),
]

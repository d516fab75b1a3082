"""Fine-tuning: loaders, AdamW, warm-up, cosine. All values are our choice.

To change the length: --cfg-options train_cfg.max_epochs=N param_scheduler.1.end=N
"""

train_dataloader = dict(
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='pseudo_collate'),
)
val_dataloader = dict(
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
)
test_dataloader = val_dataloader

optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=5e-4, weight_decay=0.01),
    clip_grad=dict(max_norm=10.0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=20),
    dict(
        type='CosineAnnealingLR',
        eta_min_ratio=0.01,
        by_epoch=True,
        begin=0,
        end=50,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(by_epoch=True, max_epochs=50, val_interval=1)
val_cfg = dict()
test_cfg = dict()
custom_hooks = [
    dict(type='muscle_mm.ExactResumeHook'),
    dict(type='muscle_mm.TestAfterTrainHook'),
    dict(type='muscle_mm.TestPredictionsHook'),
    dict(type='muscle_mm.ValidationThresholdHook'),
]

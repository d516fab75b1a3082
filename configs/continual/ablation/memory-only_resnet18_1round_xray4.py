"""Ablation: the memory of MUSCLE with the schedule of MUSCLE--."""

_base_ = ['../muscle_resnet18_3rounds_xray4.py']

train_dataloader = dict(batch_sampler=dict(rounds=1, epochs_per_visit=3, reshuffle=False))
param_scheduler = [
    dict(type='muscle_mm.CyclicRestartLR', warmup_iters=10, end_factor=0.01, restart=False)
]

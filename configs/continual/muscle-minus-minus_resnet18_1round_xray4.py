"""MUSCLE-- (step 2): no memory, one round in fixed order, one learning-rate curve.

As many iterations of each task as MUSCLE: one round of three epochs against three rounds of one.
"""

_base_ = ['muscle_resnet18_3rounds_xray4.py']

model = dict(memory=None)
train_dataloader = dict(batch_sampler=dict(rounds=1, epochs_per_visit=3, reshuffle=False))
param_scheduler = [
    dict(type='muscle_mm.CyclicRestartLR', warmup_iters=10, end_factor=0.01, restart=False)
]

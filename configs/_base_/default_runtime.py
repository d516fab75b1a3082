"""What every step shares: our package, logging, checkpoints, processes, seed."""

custom_imports = dict(imports=['muscle_mm'], allow_failed_imports=False)
default_scope = 'mmpretrain'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=10),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='muscle_mm.AtomicCheckpointHook', interval=1, max_keep_ckpts=2),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    finite_loss=dict(type='muscle_mm.FiniteLossHook'),
    provenance=dict(type='muscle_mm.ProvenanceHook'),
)
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    # Of the GPUs' processes; without a GPU tools/train.py talks through gloo. A process waits for
    # another one this long (seconds), for example while the first alone computes scores.
    dist_cfg=dict(backend='{{$DIST_BACKEND:nccl}}', timeout=1800),
)
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='Visualizer', vis_backends=vis_backends)
log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0, deterministic=False)

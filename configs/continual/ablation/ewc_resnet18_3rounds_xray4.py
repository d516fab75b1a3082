"""Ablation: MUSCLE with a weight anchor by importance (online EWC) as its memory."""

_base_ = ['../muscle_resnet18_3rounds_xray4.py']

model = dict(
    memory=dict(_delete_=True, type='muscle_mm.WeightAnchor', weight=0.01, importance='fisher')
)

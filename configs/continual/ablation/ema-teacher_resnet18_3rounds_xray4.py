"""Ablation: MUSCLE with a teacher that follows slowly (as in Ark) as its memory."""

_base_ = ['../muscle_resnet18_3rounds_xray4.py']

model = dict(memory=dict(_delete_=True, type='muscle_mm.EMATeacher', weight=1.0, momentum=0.999))

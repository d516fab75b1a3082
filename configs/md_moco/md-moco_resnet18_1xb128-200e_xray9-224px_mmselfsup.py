"""MD-MoCo (step 1) of ResNet-18 under mmselfsup 1.0.0, which takes its networks from mmcls."""

_base_ = ['md-moco_resnet18_1xb128-200e_xray9-224px.py']

default_scope = 'mmselfsup'
model = dict(backbone=dict(type='mmcls.ResNet'), neck=dict(type='mmselfsup.MoCoV2Neck'))
# Without RepresentationHook: there need not be a labelled set.
custom_hooks = [dict(type='muscle_mm.MomentumUpdateHook')]

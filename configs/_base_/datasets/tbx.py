"""TBX: boxes of active and latent tuberculosis, on chest films (TBX11K)."""

tbx_root = '{{$MUSCLE_DATA_ROOT:data}}/tbx'
tbx_size = int('{{$MUSCLE_DETECTION_SIZE:512}}')  # longest side in pixels, as TBX11K is published
tbx_meta_keys = (
    'img_id',
    'img_path',
    'ori_shape',
    'img_shape',
    'scale_factor',
    'flip',
    'flip_direction',
    'instances',  # the true boxes in the film's own pixels, for the metric
    'patient_id',  # for paired tests: whose films are drawn together
)
tbx_train = dict(
    type='muscle_mm.TBX',
    data_root=tbx_root,
    split='train',
    pipeline=[
        dict(type='muscle_mm.LoadXray'),
        dict(type='mmdet.LoadAnnotations', with_bbox=True),
        dict(
            type='RandomResize',
            scale=(tbx_size, tbx_size),
            ratio_range=(0.8, 1.0),
            resize_type='mmdet.Resize',  # its own, also under another toolbox's scope
            keep_ratio=True,
        ),
        dict(type='mmdet.RandomFlip', prob=0.5),
        dict(type='mmdet.PackDetInputs'),
    ],
)
tbx_val = dict(
    type='muscle_mm.TBX',
    data_root=tbx_root,
    split='val',
    test_mode=True,
    pipeline=[
        dict(type='muscle_mm.LoadXray'),
        dict(type='mmdet.Resize', scale=(tbx_size, tbx_size), keep_ratio=True),
        dict(type='mmdet.LoadAnnotations', with_bbox=True),
        dict(type='mmdet.PackDetInputs', meta_keys=tbx_meta_keys),
    ],
)
tbx_test = {**tbx_val, 'split': 'test'}
tbx_metric = dict(type='muscle_mm.BoxAPMetric')

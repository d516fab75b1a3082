"""ChestXrayMasks: the lungs' masks, on chest films."""

lung_root = '{{$MUSCLE_DATA_ROOT:data}}/chest_xray_masks'
lung_size = int('{{$MUSCLE_IMAGE_SIZE:224}}')  # pixels; our choice
lung_meta_keys = (
    'img_path',
    'seg_map_path',
    'ori_shape',
    'img_shape',
    'pad_shape',
    'scale_factor',
    'flip',
    'flip_direction',
    'reduce_zero_label',
    'patient_id',  # for paired tests: whose films are drawn together
)
lung_train = dict(
    type='muscle_mm.ChestXrayMasks',
    data_root=lung_root,
    split='train',
    pipeline=[
        dict(type='muscle_mm.LoadXray'),
        dict(type='mmseg.LoadAnnotations'),
        # Both sides vary by themselves, so that the lungs' proportions do too.
        dict(
            type='RandomResize',
            scale=(lung_size, lung_size),
            ratio_range=(1.0, 1.3),
            resize_type='mmseg.Resize',
            keep_ratio=False,
        ),
        dict(type='mmseg.RandomCrop', crop_size=(lung_size, lung_size)),
        dict(type='mmseg.RandomFlip', prob=0.5),
        dict(type='mmseg.PackSegInputs'),
    ],
)
lung_val = dict(
    type='muscle_mm.ChestXrayMasks',
    data_root=lung_root,
    split='val',
    test_mode=True,
    pipeline=[
        dict(type='muscle_mm.LoadXray'),
        dict(type='mmseg.Resize', scale=(lung_size, lung_size), keep_ratio=False),
        # After the resize: scores are taken at the film's own size.
        dict(type='mmseg.LoadAnnotations'),
        dict(type='mmseg.PackSegInputs', meta_keys=lung_meta_keys),
    ],
)
lung_test = {**lung_val, 'split': 'test'}
lung_metric = dict(type='muscle_mm.LungSegmentationMetric')

"""MURA: normal against abnormal, on bone films (Rajpurkar et al., 2018)."""

mura_root = '{{$MUSCLE_DATA_ROOT:data}}/mura'
mura_size = int('{{$MUSCLE_IMAGE_SIZE:224}}')  # pixels; our choice
# Size of the cache of tools/prepare_dataset.py --cache; 0 reads the files.
mura_cache = int('{{$MUSCLE_CACHE:0}}') or None
mura_meta_keys = (
    'sample_idx',
    'img_path',
    'ori_shape',
    'img_shape',
    'scale_factor',
    'flip',
    'flip_direction',
    'patient_id',  # for the metric: whose films are drawn together, and
    'study',  # which films are one study
)
mura_train = dict(
    type='muscle_mm.MURA',
    data_root=mura_root,
    split='train',
    cache=mura_cache,
    pipeline=[
        dict(type='muscle_mm.LoadXray'),
        # A narrower crop may cut off the one finding that the label is about.
        dict(type='mmpretrain.RandomResizedCrop', scale=mura_size, crop_ratio_range=(0.8, 1.0)),
        dict(type='mmpretrain.RandomFlip', prob=0.5, direction='horizontal'),
        dict(type='mmpretrain.PackInputs'),
    ],
)
mura_val = dict(
    type='muscle_mm.MURA',
    data_root=mura_root,
    split='val',
    cache=mura_cache,
    test_mode=True,
    pipeline=[
        dict(type='muscle_mm.LoadXray'),
        dict(type='mmpretrain.Resize', scale=(mura_size, mura_size)),
        dict(type='mmpretrain.PackInputs', meta_keys=mura_meta_keys),
    ],
)
mura_test = {**mura_val, 'split': 'test'}
mura_metric = dict(type='muscle_mm.BinaryClassificationMetric', by_study=True)

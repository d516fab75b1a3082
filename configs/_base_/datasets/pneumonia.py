"""PneumoniaCXR: normal against pneumonia, on chest films (Kermany et al., 2018)."""

pneumonia_root = '{{$MUSCLE_DATA_ROOT:data}}/pneumonia'
pneumonia_size = int('{{$MUSCLE_IMAGE_SIZE:224}}')  # pixels; our choice
# Size of the cache of tools/prepare_dataset.py --cache; 0 reads the files.
pneumonia_cache = int('{{$MUSCLE_CACHE:0}}') or None
pneumonia_meta_keys = (
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
pneumonia_train = dict(
    type='muscle_mm.PneumoniaCXR',
    data_root=pneumonia_root,
    split='train',
    cache=pneumonia_cache,
    pipeline=[
        dict(type='muscle_mm.LoadXray'),
        # A narrower crop may cut off the one finding that the label is about.
        dict(
            type='mmpretrain.RandomResizedCrop', scale=pneumonia_size, crop_ratio_range=(0.8, 1.0)
        ),
        dict(type='mmpretrain.RandomFlip', prob=0.5, direction='horizontal'),
        dict(type='mmpretrain.PackInputs'),
    ],
)
pneumonia_val = dict(
    type='muscle_mm.PneumoniaCXR',
    data_root=pneumonia_root,
    split='val',
    cache=pneumonia_cache,
    test_mode=True,
    pipeline=[
        dict(type='muscle_mm.LoadXray'),
        dict(type='mmpretrain.Resize', scale=(pneumonia_size, pneumonia_size)),
        dict(type='mmpretrain.PackInputs', meta_keys=pneumonia_meta_keys),
    ],
)
pneumonia_test = {**pneumonia_val, 'split': 'test'}
pneumonia_metric = dict(type='muscle_mm.BinaryClassificationMetric')

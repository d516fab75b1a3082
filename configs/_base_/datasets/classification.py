"""The two sets with one label a film: PneumoniaCXR (chest) and MURA (bones).

PneumoniaCXR: normal against pneumonia (Kermany et al., 2018). MURA: normal against abnormal
(Rajpurkar et al., 2018).
"""

classification_root = '{{$MUSCLE_DATA_ROOT:data}}'
classification_size = int('{{$MUSCLE_IMAGE_SIZE:224}}')  # pixels; our choice
# Size of the cache of tools/prepare_dataset.py --cache; 0 reads the files.
classification_cache = int('{{$MUSCLE_CACHE:0}}') or None
classification_train_pipeline = [
    dict(type='muscle_mm.LoadXray'),
    # A narrower crop may cut off the one finding that the label is about.
    dict(
        type='mmpretrain.RandomResizedCrop', scale=classification_size, crop_ratio_range=(0.8, 1.0)
    ),
    dict(type='mmpretrain.RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='mmpretrain.PackInputs'),
]
classification_val_pipeline = [
    dict(type='muscle_mm.LoadXray'),
    dict(type='mmpretrain.Resize', scale=(classification_size, classification_size)),
    dict(
        type='mmpretrain.PackInputs',
        meta_keys=(
            'sample_idx',
            'img_path',
            'ori_shape',
            'img_shape',
            'scale_factor',
            'flip',
            'flip_direction',
            'patient_id',  # for the metric: whose films are drawn together, and
            'study',  # which films are one study
        ),
    ),
]

pneumonia_train = dict(
    type='muscle_mm.PneumoniaCXR',
    data_root=f'{classification_root}/pneumonia',
    split='train',
    cache=classification_cache,
    pipeline=classification_train_pipeline,
)
pneumonia_val = dict(
    type='muscle_mm.PneumoniaCXR',
    data_root=f'{classification_root}/pneumonia',
    split='val',
    cache=classification_cache,
    test_mode=True,
    pipeline=classification_val_pipeline,
)
pneumonia_test = {**pneumonia_val, 'split': 'test'}
pneumonia_metric = dict(type='muscle_mm.BinaryClassificationMetric')

mura = dict(type='muscle_mm.MURA', data_root=f'{classification_root}/mura')
mura_train = {**pneumonia_train, **mura}
mura_val = {**pneumonia_val, **mura}
mura_test = {**mura_val, 'split': 'test'}
mura_metric = dict(type='muscle_mm.BinaryClassificationMetric', by_study=True)

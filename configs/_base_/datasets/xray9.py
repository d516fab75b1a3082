"""The nine sets of step 1. Of a set that a later step tests on, the training part alone."""

xray9_root = '{{$MUSCLE_DATA_ROOT:data}}'
xray9_size = int('{{$MUSCLE_IMAGE_SIZE:224}}')  # pixels; our choice
# Size of the cache of tools/prepare_dataset.py --cache, the same for all sets; 0 reads the files.
xray9_cache = int('{{$MUSCLE_CACHE:0}}') or None
xray9_train = dict(
    type='muscle_mm.MultiXrayDataset',
    datasets=[
        dict(type='muscle_mm.NIHCC', data_root=xray9_root + '/nihcc', cache=xray9_cache),
        dict(
            type='muscle_mm.ChinaSetCXR', data_root=xray9_root + '/china_set_cxr', cache=xray9_cache
        ),
        dict(
            type='muscle_mm.MontgomeryCXR',
            data_root=xray9_root + '/montgomery_cxr',
            cache=xray9_cache,
        ),
        dict(type='muscle_mm.IndianaCXR', data_root=xray9_root + '/indiana_cxr', cache=xray9_cache),
        dict(
            type='muscle_mm.RSNABoneAge', data_root=xray9_root + '/rsna_bone_age', cache=xray9_cache
        ),
        dict(
            type='muscle_mm.PneumoniaCXR',
            data_root=xray9_root + '/pneumonia',
            split='train',
            cache=xray9_cache,
        ),
        dict(
            type='muscle_mm.MURA',
            data_root=xray9_root + '/mura',
            split='train',
            cache=xray9_cache,
        ),
        dict(
            type='muscle_mm.ChestXrayMasks',
            data_root=xray9_root + '/chest_xray_masks',
            split='train',
            cache=xray9_cache,
        ),
        dict(
            type='muscle_mm.TBX',
            data_root=xray9_root + '/tbx',
            split='train',
            cache=xray9_cache,
        ),
    ],
    pipeline=[
        # The smallest crop, a fifth of a film's area, covers 45% of its side: a JPEG that is
        # decoded at half its size or less still gives every view its pixels.
        dict(type='muscle_mm.LoadXray', min_side=int(2.25 * xray9_size)),
        dict(type='muscle_mm.XrayViews', size=xray9_size),
    ],
)

"""MD-MoCo (step 1) of ResNet-18 on folders of one's own films: an example to copy.

Each folder below MUSCLE_DATA_ROOT was written by tools/prepare_dataset.py. Of a set that is
tested on later, name the training part alone. A queue longer than all films together holds other
views of the same films as negatives: for few films shorten it (--cfg-options model.queue_len=N).
"""

_base_ = ['md-moco_resnet18_1xb128-200e_xray9-224px.py']

train_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(
                type='muscle_mm.XrayDataset',
                data_root=_base_.xray9_root + '/nih64',
                cache=_base_.xray9_cache,
            ),
            dict(
                type='muscle_mm.XrayDataset',
                data_root=_base_.xray9_root + '/dicom',
                cache=_base_.xray9_cache,
            ),
            dict(
                type='muscle_mm.XrayDataset',
                data_root=_base_.xray9_root + '/png16',
                cache=_base_.xray9_cache,
            ),
            *(
                dict(
                    type='muscle_mm.XrayDataset',
                    data_root=f'{_base_.xray9_root}/{folder}',
                    split='train',
                    cache=_base_.xray9_cache,
                )
                for folder in ('pneumonia', 'mura', 'chest_xray_masks', 'tbx')
            ),
        ]
    )
)
# Without RepresentationHook: there need not be a labelled set.
custom_hooks = [dict(type='muscle_mm.MomentumUpdateHook')]

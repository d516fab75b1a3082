"""MD-MoCo (step 1) of ResNet-18 on one set alone: MUSCLE_SET names its folder.

The folder lies below MUSCLE_DATA_ROOT and was written by tools/prepare_dataset.py. Of a set that is
tested on later, this is the training part alone. A queue longer than the set holds other views of
the same films as negatives: for a small set shorten it (--cfg-options model.queue_len=N).
"""

_base_ = ['md-moco_resnet18_1xb128-200e_xray9-224px.py']

train_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(
                type='muscle_mm.XrayDataset',
                data_root=_base_.xray9_root + '/{{$MUSCLE_SET:nihcc}}',
                split='train',
                cache=_base_.xray9_cache,
            )
        ]
    )
)
# Without RepresentationHook: there need not be a labelled set.
custom_hooks = [dict(type='muscle_mm.MomentumUpdateHook')]

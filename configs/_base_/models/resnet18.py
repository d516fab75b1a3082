"""The backbone and the three kinds of task model, written once for step 2 and step 3.

`classification`, `segmentation` and `detection` are models of mmpretrain, mmseg and mmdet without
their backbone; `*_geometry` is what a task changes in the backbone: its geometry, never its
weights. ResNet-50 configs override the depth and the widths.
"""

_base_ = ['../normalisation.py']

backbone = dict(
    type='mmpretrain.ResNet',
    depth=18,
    num_stages=4,
    out_indices=(3,),
    style='pytorch',
    # The one option that chooses among Scratch (None), ImageNet ('torchvision://resnet18', or the
    # file), MD-MoCo, MUSCLE-- and MUSCLE:
    # --cfg-options model.backbone.init_cfg.checkpoint=PATH
    init_cfg=dict(type='muscle_mm.BackboneInit', checkpoint=None),
)

# Fully connected layer (as in the paper) on the pooled features.
classification = dict(
    type='mmpretrain.ImageClassifier',
    neck=dict(type='mmpretrain.GlobalAveragePooling'),
    head=dict(
        type='mmpretrain.LinearClsHead',
        num_classes=2,
        in_channels=512,
        topk=(1,),
        loss=dict(type='mmpretrain.CrossEntropyLoss', loss_weight=1.0),
    ),
    data_preprocessor=dict(
        type='muscle_mm.GreyDataPreprocessor',
        preprocessor=dict(
            type='mmpretrain.ClsDataPreprocessor',
            num_classes=2,
            mean=[_base_.mean] * 3,
            std=[_base_.std] * 3,
        ),
    ),
)

# DeepLab-V3 (as in the paper). Output stride 8, the rates (1, 6, 12, 18) and the auxiliary head are
# our choice: at 224 pixels the feature map is 28 wide, and larger rates would reach outside it.
segmentation_geometry = dict(out_indices=(2, 3), strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4))
segmentation = dict(
    type='mmseg.EncoderDecoder',
    pretrained=None,
    decode_head=dict(
        type='mmseg.ASPPHead',
        in_channels=512,
        in_index=1,
        channels=128,
        dilations=(1, 6, 12, 18),
        dropout_ratio=0.1,
        num_classes=2,
        norm_cfg=dict(type='BN', requires_grad=True),
        align_corners=False,
        loss_decode=dict(type='mmseg.CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
    ),
    auxiliary_head=dict(
        type='mmseg.FCNHead',
        in_channels=256,
        in_index=0,
        channels=64,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.1,
        num_classes=2,
        norm_cfg=dict(type='BN', requires_grad=True),
        align_corners=False,
        loss_decode=dict(type='mmseg.CrossEntropyLoss', use_sigmoid=False, loss_weight=0.4),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
    data_preprocessor=dict(
        type='muscle_mm.GreyDataPreprocessor',
        preprocessor=dict(
            type='mmseg.SegDataPreProcessor',
            mean=[_base_.mean] * 3,
            std=[_base_.std] * 3,
            pad_val=0,
            seg_pad_val=255,
            size_divisor=8,
            test_cfg=dict(size_divisor=8),
        ),
    ),
)

# Faster R-CNN (as in the paper). The feature pyramid and the anchor scale are our choice: 4 pixels
# per stride in place of mmdet's 8, because findings are small in their films.
detection_geometry = dict(out_indices=(0, 1, 2, 3))
detection = dict(
    type='mmdet.FasterRCNN',
    neck=dict(type='mmdet.FPN', in_channels=[64, 128, 256, 512], out_channels=128, num_outs=5),
    rpn_head=dict(
        type='mmdet.RPNHead',
        in_channels=128,
        feat_channels=128,
        anchor_generator=dict(
            type='mmdet.AnchorGenerator',
            scales=[4],
            ratios=[0.5, 1.0, 2.0],
            strides=[4, 8, 16, 32, 64],
        ),
        bbox_coder=dict(
            type='mmdet.DeltaXYWHBBoxCoder',
            target_means=[0.0, 0.0, 0.0, 0.0],
            target_stds=[1.0, 1.0, 1.0, 1.0],
        ),
        loss_cls=dict(type='mmdet.CrossEntropyLoss', use_sigmoid=True, loss_weight=1.0),
        loss_bbox=dict(type='mmdet.L1Loss', loss_weight=1.0),
    ),
    roi_head=dict(
        type='mmdet.StandardRoIHead',
        bbox_roi_extractor=dict(
            type='mmdet.SingleRoIExtractor',
            roi_layer=dict(type='RoIAlign', output_size=7, sampling_ratio=0),
            out_channels=128,
            featmap_strides=[4, 8, 16, 32],
        ),
        bbox_head=dict(
            type='mmdet.Shared2FCBBoxHead',
            in_channels=128,
            fc_out_channels=512,
            roi_feat_size=7,
            num_classes=2,
            bbox_coder=dict(
                type='mmdet.DeltaXYWHBBoxCoder',
                target_means=[0.0, 0.0, 0.0, 0.0],
                target_stds=[0.1, 0.1, 0.2, 0.2],
            ),
            reg_class_agnostic=False,
            loss_cls=dict(type='mmdet.CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
            loss_bbox=dict(type='mmdet.L1Loss', loss_weight=1.0),
        ),
    ),
    train_cfg=dict(
        rpn=dict(
            assigner=dict(
                type='mmdet.MaxIoUAssigner',
                pos_iou_thr=0.7,
                neg_iou_thr=0.3,
                min_pos_iou=0.3,
                match_low_quality=True,
                ignore_iof_thr=-1,
            ),
            sampler=dict(
                type='mmdet.RandomSampler',
                num=128,
                pos_fraction=0.5,
                neg_pos_ub=-1,
                add_gt_as_proposals=False,
            ),
            allowed_border=-1,
            pos_weight=-1,
            debug=False,
        ),
        rpn_proposal=dict(
            nms_pre=1000,
            max_per_img=300,
            nms=dict(type='nms', iou_threshold=0.7),
            min_bbox_size=0,
        ),
        rcnn=dict(
            assigner=dict(
                type='mmdet.MaxIoUAssigner',
                pos_iou_thr=0.5,
                neg_iou_thr=0.5,
                min_pos_iou=0.5,
                match_low_quality=False,
                ignore_iof_thr=-1,
            ),
            sampler=dict(
                type='mmdet.RandomSampler',
                num=128,
                pos_fraction=0.25,
                neg_pos_ub=-1,
                add_gt_as_proposals=True,
            ),
            pos_weight=-1,
            debug=False,
        ),
    ),
    test_cfg=dict(
        rpn=dict(
            nms_pre=1000,
            max_per_img=300,
            nms=dict(type='nms', iou_threshold=0.7),
            min_bbox_size=0,
        ),
        rcnn=dict(score_thr=0.01, nms=dict(type='nms', iou_threshold=0.5), max_per_img=50),
    ),
    data_preprocessor=dict(
        type='muscle_mm.GreyDataPreprocessor',
        preprocessor=dict(
            type='mmdet.DetDataPreprocessor',
            mean=[_base_.mean] * 3,
            std=[_base_.std] * 3,
            pad_size_divisor=32,
        ),
    ),
)

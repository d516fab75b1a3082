# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from mmengine.registry import MODELS

from muscle_mm.models.moco_checkpoints import md_moco_to_moco, moco_to_md_moco
from muscle_mm.utils.errors import UserError

NECK = dict(type='mmpretrain.MoCoV2Neck', in_channels=32, hid_channels=16, out_channels=8)


@pytest.fixture
def moco(backbone_config):
    """mmpretrain's own MoCo."""
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='mmpretrain.MoCo',
            backbone=backbone_config,
            neck=NECK,
            head=dict(
                type='mmpretrain.ContrastiveHead',
                loss=dict(type='mmpretrain.CrossEntropyLoss'),
                temperature=0.2,
            ),
            queue_len=12,
            feat_dim=8,
            data_preprocessor=dict(type='mmpretrain.SelfSupDataPreprocessor'),
        )
    )


@pytest.fixture
def md_moco(backbone_config):
    torch.manual_seed(1)
    model = MODELS.build(
        dict(
            type='muscle_mm.MDMoCo',
            backbone=backbone_config,
            neck=NECK,
            queue_len=12,
            feature_dim=8,
            bn_splits=1,
        )
    )
    model.updated_by_hook = True
    return model


def loss_of(model):
    generator = torch.Generator().manual_seed(3)
    views = [torch.randn(4, 3, 32, 32, generator=generator) for _ in range(2)]
    arguments = dict(data_samples=None) if hasattr(model, 'encoder_k') else {}
    return model(inputs=views, mode='loss', **arguments)['loss'].item()


def test_both_models_have_the_same_loss_after_conversion(moco, md_moco):
    loss_of(moco)  # at its first step mmpretrain's momentum encoder becomes a copy
    with torch.no_grad():
        for parameter in moco.backbone.parameters():
            parameter.mul_(1.1)
    md_moco.load_state_dict(moco_to_md_moco(moco.state_dict(), 'moco.pth'))
    assert int(md_moco.queue.position) == 4
    # mmpretrain moves the momentum encoder before it makes the keys, MDMoCo after the step; and
    # mmpretrain's keys are normalised by the query encoder's buffers.
    md_moco.update(1 - moco.encoder_k.momentum)
    assert loss_of(md_moco) == pytest.approx(loss_of(moco), rel=1e-5)


def test_back_and_forth_changes_nothing(moco, md_moco):
    loss_of(md_moco)
    md_moco.update()
    weights = md_moco.state_dict()
    theirs = md_moco_to_moco(weights, 'epoch_1.pth')
    moco.load_state_dict(theirs)
    assert int(moco.queue_ptr) == 4
    again = moco_to_md_moco(theirs, 'moco.pth')
    assert again.keys() == weights.keys()
    assert all(torch.equal(again[name], value) for name, value in weights.items())
    md_moco.update(1 - moco.encoder_k.momentum)
    assert loss_of(moco) == pytest.approx(loss_of(md_moco), rel=1e-5)


def test_half_a_checkpoint_is_refused(moco):
    weights = {name: value for name, value in moco.state_dict().items() if 'queue' not in name}
    with pytest.raises(UserError, match=r"moco\.pth has no 'queue'\..*BackboneInit"):
        moco_to_md_moco(weights, 'moco.pth')


def test_another_model_is_refused(moco):
    weights = {**moco.state_dict(), 'predictor.weight': torch.zeros(1)}
    with pytest.raises(UserError, match=r"has 'predictor\.weight', which MoCo has not"):
        moco_to_md_moco(weights, 'moco.pth')

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import importlib

import pytest
import torch
from mmengine.registry import MODELS as ROOT_MODELS

from muscle_mm.models import BackboneInit
from muscle_mm.registry import MODELS
from muscle_mm.utils.errors import UserError


def build(config, checkpoint, **changes):
    config = {**config, 'init_cfg': dict(config['init_cfg'], checkpoint=checkpoint), **changes}
    backbone = MODELS.build(config)
    backbone.init_weights()
    return backbone


@pytest.fixture
def trained(backbone_config):
    """A backbone in which every tensor differs from a fresh one's."""
    torch.manual_seed(3)
    backbone = MODELS.build(backbone_config)
    for value in backbone.state_dict().values():
        value.copy_(torch.rand(value.shape) + 1 if value.is_floating_point() else value + 7)
    return backbone


@pytest.mark.parametrize('prefix', ['', 'backbone.', 'module.backbone.', 'encoder_q.0.'])
def test_finds_the_prefix_and_loads_every_tensor(tmp_path, backbone_config, trained, prefix):
    path = tmp_path / 'weights.pth'
    weights = {prefix + name: value for name, value in trained.state_dict().items()}
    weights |= {f'{prefix}fc.weight': torch.zeros(3), 'head.bias': torch.zeros(2)}
    torch.save(dict(state_dict=weights, meta=dict(epoch=1)), path)
    loaded = build(backbone_config, str(path))
    for name, value in trained.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name


def test_the_backbone_wins_over_the_momentum_encoder(tmp_path, backbone_config, trained):
    path = tmp_path / 'moco.pth'
    weights = {f'a_momentum_backbone.{k}': v * 0 for k, v in trained.state_dict().items()}
    weights |= {f'backbone.{k}': v for k, v in trained.state_dict().items()}
    torch.save(dict(state_dict=weights), path)
    loaded = build(backbone_config, str(path))
    assert torch.equal(loaded.conv1.weight, trained.conv1.weight)


def test_published_files_without_counters_load(tmp_path, backbone_config, trained):
    path = tmp_path / 'imagenet.pth'
    weights = trained.state_dict()
    torch.save({k: v for k, v in weights.items() if 'num_batches_tracked' not in k}, path)
    assert torch.equal(build(backbone_config, str(path)).bn1.weight, trained.bn1.weight)


def test_scratch_is_kaiming_with_batch_norm_at_one(backbone_config):
    torch.manual_seed(0)
    backbone = build(backbone_config, None, zero_init_residual=False)
    weight = backbone.layer4[1].conv2.weight
    assert weight.std().item() == pytest.approx((2 / (32 * 9)) ** 0.5, rel=0.05)
    assert torch.equal(backbone.bn1.weight, torch.ones(4))


def test_a_missing_file_ends_with_how_to_name_or_make_it(backbone_config):
    with pytest.raises(UserError) as raised:
        build(backbone_config, 'checkpoints/muscle_resnet18.pth')
    message = str(raised.value)
    assert 'checkpoints/muscle_resnet18.pth that the backbone is to start from' in message
    assert '--cfg-options model.backbone.init_cfg.checkpoint=PATH' in message
    assert 'tools/export_backbone.py PATH checkpoints/muscle_resnet18.pth' in message
    assert 'MUSCLE_CHECKPOINTS' in message


def test_published_weights_are_found_by_name(tmp_path, backbone_config, trained, monkeypatch):
    path = tmp_path / 'resnet18-0123.pth'
    torch.save({**trained.state_dict(), 'fc.bias': torch.zeros(1000)}, path)
    asked = []

    def published_weights(name):
        asked.append(name)
        return path

    module = importlib.import_module('muscle_mm.models.backbone_init')
    monkeypatch.setattr(module, 'published_weights', published_weights)
    loaded = build(backbone_config, 'torchvision://resnet18')
    assert asked == ['resnet18']
    assert torch.equal(loaded.conv1.weight, trained.conv1.weight)


def test_wrong_prefix(tmp_path, backbone_config, trained):
    path = tmp_path / 'weights.pth'
    torch.save({f'backbone.{k}': v for k, v in trained.state_dict().items()}, path)
    with pytest.raises(
        UserError, match=r"weights\.pth: no ResNet weights under the prefix 'net\.'"
    ):
        BackboneInit(str(path), prefix='net.')(MODELS.build(backbone_config))


def test_no_backbone_inside(tmp_path, backbone_config):
    path = tmp_path / 'head.pth'
    torch.save({'head.fc.weight': torch.zeros(2)}, path)
    with pytest.raises(UserError, match=r"head\.pth: no ResNet weights: 'conv1\.weight' is not"):
        build(backbone_config, str(path))


@pytest.mark.parametrize(('saved', 'built'), [(18, 34), (34, 18), (50, 18), (18, 50)])
def test_wrong_depth(tmp_path, backbone_config, saved, built):
    path = tmp_path / 'weights.pth'
    torch.save(MODELS.build({**backbone_config, 'depth': saved}).state_dict(), path)
    with pytest.raises(UserError, match=rf'this ResNet of depth {built}: .*: layer[123]\.'):
        build(backbone_config, str(path), depth=built)


def test_what_a_backbone_does_not_have_is_named(tmp_path, backbone_config, trained):
    path = tmp_path / 'weights.pth'
    state = {f'backbone.{name}': value for name, value in trained.state_dict().items()}
    state |= {f'backbone.layer5.{i}.weight': torch.zeros(1) for i in range(7)}
    torch.save(state | {'head.weight': torch.zeros(1)}, path)
    with pytest.raises(
        UserError,
        match=r'7 names that this backbone does not have: backbone\.layer5\.0.*, .* and 2 more',
    ):
        build(backbone_config, str(path))


def test_text_file(tmp_path, backbone_config):
    path = tmp_path / 'weights.pth'
    path.write_text('not a checkpoint')
    with pytest.raises(UserError, match=r'weights\.pth cannot be read safely'):
        build(backbone_config, str(path))


def test_code_in_a_checkpoint_is_not_run(tmp_path, backbone_config):
    class Harmful:
        def __reduce__(self):
            return (open, (str(tmp_path / 'touched'), 'w'))

    path = tmp_path / 'weights.pth'
    torch.save({'conv1.weight': Harmful()}, path)
    with pytest.raises(UserError, match='cannot be read safely'):
        build(backbone_config, str(path))
    assert not (tmp_path / 'touched').exists()


def test_is_found_by_scope_from_the_root_registry(backbone_config):
    assert ROOT_MODELS.get('muscle_mm.MDMoCo') is not None


@pytest.mark.parametrize('depth', [18, 50])
def test_torchvisions_imagenet_file_fits(tmp_path, depth):
    torchvision = pytest.importorskip('torchvision')
    published = getattr(torchvision.models, f'resnet{depth}')().state_dict()
    path = tmp_path / 'imagenet.pth'
    torch.save(published, path)
    config = dict(
        type='mmpretrain.ResNet', depth=depth, init_cfg=dict(type='muscle_mm.BackboneInit')
    )
    backbone = build(config, str(path))
    for name, value in backbone.state_dict().items():
        assert torch.equal(value, published[name]), name

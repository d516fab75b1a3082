# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from mmengine.model import convert_sync_batchnorm
from torch import nn
from torch.nn.functional import cross_entropy, normalize
from torch.nn.modules.batchnorm import _BatchNorm

from muscle_mm.registry import MODELS
from muscle_mm.utils.errors import UserError


@pytest.fixture
def build(backbone_config):
    def build(**options):
        torch.manual_seed(0)
        config = dict(
            type='muscle_mm.MDMoCo',
            backbone=backbone_config,
            neck=dict(
                type='mmpretrain.MoCoV2Neck', in_channels=32, hid_channels=16, out_channels=8
            ),
            queue_len=10,
            feature_dim=8,
            bn_splits=1,
            data_preprocessor=dict(type='muscle_mm.ViewsDataPreprocessor', mean=100.0, std=50.0),
        )
        model = MODELS.build({**config, **options})
        model.init_weights()
        model.updated_by_hook = True
        return model

    return build


def views(batch_size=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (batch_size, 3, 32, 32)
    return [torch.randn(shape, generator=generator) for _ in range(2)]


def test_loss_is_info_nce(build):
    """Against equation 1 of MoCo, written out."""
    model = build(temperature=0.5).eval()
    query_view, key_view = views()
    losses = model(inputs=[query_view, key_view], mode='loss')
    with torch.no_grad():
        queries = normalize(model.neck(model.backbone(query_view))[0], dim=1)
        keys = normalize(model.momentum_neck(model.momentum_backbone(key_view))[0], dim=1)
        expected = 0.0
        for query, key in zip(queries, keys, strict=True):
            similarities = torch.stack([query @ key, *(query @ old for old in model.queue.keys)])
            expected += cross_entropy(similarities[None] / 0.5, torch.tensor([0])).item() / 4
    assert losses['loss'].item() == pytest.approx(expected, rel=1e-5)
    assert -1 <= losses['positive_similarity'] <= 1
    assert 0 <= losses['contrast_accuracy'] <= 100


def test_keys_carry_no_gradient_and_the_query_encoder_does(build):
    model = build()
    model(inputs=views(), mode='loss')['loss'].backward()
    assert all(parameter.grad is not None for parameter in model.backbone.parameters())
    assert all(parameter.grad is None for parameter in model.momentum_backbone.parameters())


def test_update_moves_weights_by_the_momentum_and_leaves_buffers_alone(build):
    model = build(momentum=0.75)
    model(inputs=views(), mode='loss')
    with torch.no_grad():
        for parameter in model.backbone.parameters():
            parameter.add_(1.0)
    before = {name: value.clone() for name, value in model.momentum_backbone.state_dict().items()}
    model.update()
    query = model.backbone.state_dict()
    parameters = dict(model.momentum_backbone.named_parameters())
    for name, value in model.momentum_backbone.state_dict().items():
        if name in parameters:
            expected = 0.75 * before[name] + 0.25 * query[name]
            assert torch.allclose(value, expected, atol=1e-6)
        else:
            assert torch.equal(value, before[name])


def test_keys_of_accumulated_iterations_are_enqueued_in_order(build):
    model = build()
    before = model.queue.keys.clone()
    model(inputs=views(3, seed=1), mode='loss')
    model(inputs=views(3, seed=2), mode='loss')
    assert torch.equal(model.queue.keys, before)
    model.update()
    assert int(model.queue.position) == 6
    assert not torch.equal(model.queue.keys[:6], before[:6])
    assert torch.equal(model.queue.keys[6:], before[6:])
    model.update()
    assert int(model.queue.position) == 6


def test_preprocessor_normalises_and_expands_grey_views(build):
    model = build()
    grey = torch.full((2, 1, 8, 8), 150, dtype=torch.uint8)
    data = model.data_preprocessor(dict(inputs=[grey, grey], dataset=['a', 'b']), True)
    assert [view.shape for view in data['inputs']] == [(2, 3, 8, 8)] * 2
    assert torch.equal(data['inputs'][0], torch.ones(2, 3, 8, 8))
    assert data['dataset'] == ['a', 'b']


def test_tensor_mode_gives_the_backbones_features(build):
    (features,) = build()(inputs=views(2), mode='tensor')
    assert features.shape == (2, 32, 1, 1)


def test_missing_hook_is_reported(build):
    model = build()
    model.updated_by_hook = False
    with pytest.raises(UserError, match='MomentumUpdateHook'):
        model(inputs=views(), mode='loss')


def test_wrong_number_of_views_is_reported(build):
    with pytest.raises(UserError, match='two views of each film, the pipeline gives 1'):
        build()(inputs=views()[:1], mode='loss')


@pytest.fixture
def seen_by_momentum_encoder(monkeypatch):
    """Record the views that the momentum encoder gets, in their order."""

    def record(model):
        seen = []
        encode = model._encode_keys
        monkeypatch.setattr(
            model, '_encode_keys', lambda views: (seen.append(views), encode(views))[1]
        )
        return seen

    return record


def test_on_one_device_keys_are_shuffled_over_parts_and_come_back(build, seen_by_momentum_encoder):
    model = build(bn_splits=2)
    seen = seen_by_momentum_encoder(model)
    query_views, key_views = views(8)
    losses = model(inputs=[query_views, key_views], mode='loss')
    (mixed,) = seen
    order = [int((key_views == view).flatten(1).all(dim=1).nonzero()) for view in mixed]
    assert sorted(order) == list(range(8)) and order != list(range(8))
    # Each half of the mixed views is a batch of its own; the keys are those of the films' order.
    model.update()
    plain = build(bn_splits=1)
    with torch.no_grad():
        halves = [plain._encode_keys(mixed[:4]), plain._encode_keys(mixed[4:])]
    expected = torch.cat(halves)[torch.tensor(order).argsort()]
    assert torch.allclose(model.queue.keys[:8], expected, atol=1e-5)
    assert losses['loss'].isfinite()


def test_weights_are_called_the_same_whatever_the_splits(build):
    assert build(bn_splits=4).state_dict().keys() == build(bn_splits=1).state_dict().keys()


@pytest.mark.parametrize('bn_splits', [1, 4])
def test_every_batch_norm_becomes_sync_bn_by_config(build, bn_splits):
    model = build(bn_splits=bn_splits)
    norms = {name for name, module in model.named_modules() if isinstance(module, _BatchNorm)}
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model = convert_sync_batchnorm(model)
    synchronised = {
        name for name, module in model.named_modules() if isinstance(module, nn.SyncBatchNorm)
    }
    assert synchronised == norms and len(norms) == 40  # 20 of a ResNet-18, twice
    after = model.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_several_sets_are_logged_one_by_one(build):
    model = build()
    alone = model(inputs=views(), dataset=['mura'] * 4, mode='loss')
    assert set(alone) == {'loss', 'positive_similarity', 'contrast_accuracy'}
    losses = model(inputs=views(), dataset=['mura', 'tbx', 'mura', 'mura'], mode='loss')
    for name in alone:
        mean = (3 * losses[f'{name}/mura'] + losses[f'{name}/tbx']) / 4
        assert mean.item() == pytest.approx(losses[name].item(), rel=1e-5)
    # A set that is not in a batch is not logged for it; one that has been met stays apart.
    only_tbx = model(inputs=views(), dataset=['tbx'] * 4, mode='loss')
    assert 'loss/tbx' in only_tbx and 'loss/mura' not in only_tbx


def test_single_sets_are_logged_at_every_tenth_iteration(build):
    model = build()
    logged = []
    for model.iteration in range(21):
        losses = model(inputs=views(), dataset=['mura', 'tbx'] * 2, mode='loss')
        assert 'contrast_accuracy' in losses
        logged += [model.iteration] * ('contrast_accuracy/tbx' in losses)
    assert logged == [0, 10, 20]


def test_what_is_logged_of_a_set_is_no_part_of_the_loss(build):
    """mmengine adds up all whose name has 'loss' in it."""
    model = build()
    losses = model(inputs=views(), dataset=['bone_loss', 'tbx', 'tbx', 'tbx'], mode='loss')
    total, logged = model.parse_losses(losses)
    assert total is losses['loss']
    assert logged['loss'].item() == total.item()
    assert {'loss/bone_loss', 'contrast_accuracy/bone_loss', 'loss/tbx'} < set(logged)


def test_negatives_of_the_same_set_alone(build):
    model = build(same_dataset_negatives=True, temperature=0.5, queue_len=5).eval()
    model(inputs=views(4), dataset=['a', 'b', 'a', 'b'], mode='loss')
    model.update()
    query_view, key_view = views(2, seed=1)
    loss = model(inputs=[query_view, key_view], dataset=['a', 'c'], mode='loss')['loss']
    with torch.no_grad():
        queries = normalize(model.neck(model.backbone(query_view))[0], dim=1)
        keys = normalize(model.momentum_neck(model.momentum_backbone(key_view))[0], dim=1)
        held = model.queue.keys
        # Of set c there is no key yet; the fifth key is none of a film and counts for everyone.
        negatives = [held[[0, 2, 4]], held[[4]]]
        expected = [
            cross_entropy(torch.cat([(q @ k)[None], others @ q])[None] / 0.5, torch.tensor([0]))
            for q, k, others in zip(queries, keys, negatives, strict=True)
        ]
    assert loss.item() == pytest.approx(torch.stack(expected).mean().item(), rel=1e-5)


def test_negatives_of_the_same_set_need_the_sets_names(build):
    with pytest.raises(UserError, match="the pipeline must pack 'dataset'"):
        build(same_dataset_negatives=True)(inputs=views(), mode='loss')


def test_channels_last_changes_the_layout_alone(build):
    plain, other = build(), build(channels_last=True)
    weight = other.backbone.layer1[0].conv2.weight
    assert weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous()
    assert other.momentum_backbone.layer1[0].conv2.weight.stride() == weight.stride()
    other.load_state_dict(plain.state_dict())
    losses = [model(inputs=views(), mode='loss')['loss'].item() for model in (plain, other)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_compiled_encoders_give_the_same_loss_under_the_same_names(build, monkeypatch):
    compiled, compile_module = [], nn.Module.compile

    def compile_without_code(module):
        """Trace as always, but run torch's own kernels: generating code takes a minute."""
        compiled.append(module)
        compile_module(module, backend='eager')

    monkeypatch.setattr(nn.Module, 'compile', compile_without_code)
    plain, other = build(), build(compile_encoders=True)
    assert compiled == [other.backbone, other.momentum_backbone]
    assert list(other.state_dict()) == list(plain.state_dict())
    losses = [model(inputs=views(), mode='loss')['loss'] for model in (plain, other)]
    assert losses[0].item() == pytest.approx(losses[1].item(), rel=1e-5)
    for model, loss in zip((plain, other), losses, strict=True):
        loss.backward()
        model.update()
    gradients = [model.backbone.conv1.weight.grad for model in (plain, other)]
    assert torch.allclose(*gradients, rtol=1e-3, atol=1e-6)
    assert torch.allclose(plain.queue.keys, other.queue.keys, atol=1e-5)


@pytest.mark.parametrize('bn_splits', [1, 2])
def test_grey_views_under_autocast_give_a_loss_in_float32(build, bn_splits):
    model = build(bn_splits=bn_splits)
    grey = [view[:, :1].expand(-1, 3, -1, -1) for view in views()]
    expected = model(inputs=grey, mode='loss')['loss']
    with torch.autocast('cpu', torch.bfloat16):
        losses = model(inputs=grey, mode='loss')
    assert losses['loss'].dtype == torch.float32
    assert losses['loss'].item() == pytest.approx(expected.item(), rel=0.1)
    assert losses['loss'].item() != expected.item()
    losses['loss'].backward()
    assert model.backbone.conv1.weight.grad.dtype == torch.float32
    model.update()
    assert model.queue.keys.dtype == torch.float32


def test_other_keys_of_a_batch_are_let_pass(build):
    losses = build()(inputs=views(), img_path=['a.png'] * 4, mode='loss')
    assert losses['loss'].isfinite()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(momentum=1.5), 'momentum=1.5'),
        (dict(temperature=0), 'temperature=0'),
        (dict(bn_splits=0), 'bn_splits=0'),
    ],
)
def test_options_out_of_range(build, options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_unknown_mode(build):
    with pytest.raises(ValueError, match="mode='predict'"):
        build()(inputs=views(), mode='predict')

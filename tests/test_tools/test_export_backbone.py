# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
import torchvision

pytest.importorskip('mmpretrain', reason='its ResNet is the one that is exported')


@pytest.fixture(scope='module')
def resnet():
    return torchvision.models.resnet18()


def checkpoint_of(resnet, prefix):
    return {
        'state_dict': {
            f'{prefix}{name}': value
            for name, value in resnet.state_dict().items()
            if not name.startswith('fc.')
        }
        | {'head.fc.weight': torch.zeros(2, 512)},
        'meta': {'epoch': 3, 'experiment_name': 'md_moco', 'cfg': 'depth = 18'},
    }


def test_exports_what_torchvision_loads_with_provenance(run_tool, resnet, tmp_path, capsys):
    source, out = tmp_path / 'epoch_3.pth', tmp_path / 'new' / 'backbone.pth'
    torch.save(checkpoint_of(resnet, 'backbone.'), source)
    assert run_tool('export_backbone.py', source, out) == 0
    assert 'ResNet-18, 120 tensors' in capsys.readouterr().out
    exported = torch.load(out, weights_only=True)
    problems = torchvision.models.resnet18().load_state_dict(exported['state_dict'], strict=False)
    assert problems.missing_keys == ['fc.weight', 'fc.bias']
    assert problems.unexpected_keys == []
    weight = exported['state_dict']['layer4.1.conv2.weight']
    assert torch.equal(weight, resnet.state_dict()['layer4.1.conv2.weight'])
    assert exported['meta']['epoch'] == 3
    assert exported['meta']['architecture'] == 'ResNet-18'
    assert exported['meta']['config'] == 'depth = 18'
    assert len(exported['meta']['source_sha256']) == 64


def test_a_missing_weight_is_one_message(run_tool, resnet, tmp_path, capsys):
    checkpoint = checkpoint_of(resnet, 'backbone.')
    del checkpoint['state_dict']['backbone.layer2.0.conv1.weight']
    torch.save(checkpoint, tmp_path / 'broken.pth')
    assert run_tool('export_backbone.py', tmp_path / 'broken.pth', tmp_path / 'out.pth') == 1
    assert 'layer2.0.conv1.weight' in capsys.readouterr().err
    assert not (tmp_path / 'out.pth').exists()


@pytest.mark.parametrize(
    ('prefix', 'options', 'message'),
    [
        ('features.', ['--prefix', 'encoder.'], "no ResNet of a known depth below the prefix 'enc"),
        ('backbone.', ['--prefix', 'momentum_'], 'no ResNet of a known depth'),
    ],
)
def test_a_wrong_prefix_is_one_message(
    run_tool, resnet, tmp_path, capsys, prefix, options, message
):
    torch.save(checkpoint_of(resnet, prefix), tmp_path / 'some.pth')
    assert run_tool('export_backbone.py', tmp_path / 'some.pth', tmp_path / 'o.pth', *options) == 1
    assert message in capsys.readouterr().err


def test_a_missing_file_is_one_message(run_tool, tmp_path, capsys):
    assert run_tool('export_backbone.py', tmp_path / 'no.pth', tmp_path / 'out.pth') == 1
    assert 'no.pth does not exist' in capsys.readouterr().err

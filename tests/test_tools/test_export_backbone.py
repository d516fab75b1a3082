# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from importlib.util import find_spec

import pytest
import torch
import torchvision
from mmengine.registry import MODELS
from safetensors import safe_open

pytest.importorskip('mmpretrain', reason='its ResNet is the one that is exported')


def random_resnet(depth, seed=0):
    """A ResNet whose running statistics, too, are its own."""
    torch.manual_seed(seed)
    resnet = getattr(torchvision.models, f'resnet{depth}')()
    for module in resnet.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    resnet.fc = torch.nn.Identity()
    return resnet.eval()


@pytest.fixture(scope='module')
def resnet():
    return random_resnet(18)


@pytest.fixture(autouse=True)
def same_revision(monkeypatch):
    monkeypatch.setattr('muscle_mm.utils.revision.git_revision', lambda: 'this')


def checkpoint_of(resnet, prefix):
    return {
        'state_dict': {f'{prefix}{name}': value for name, value in resnet.state_dict().items()}
        | {'head.fc.weight': torch.zeros(2, 512)},
        'meta': {
            'epoch': 3,
            'iter': 90,
            'experiment_name': 'md_moco',
            'cfg': 'depth = 18\nä = 1',
            'dataset_meta': {'dataset': 'MultiXrayDataset', 'datasets': ['NIHCC', 'MURA']},
            'muscle_mm_revision': 'abc',
        },
    }


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    """For a depth the reference and the two exported files."""
    made = {}

    def export(run_tool, depth):
        if depth not in made:
            folder = tmp_path_factory.mktemp(f'resnet{depth}')
            network = random_resnet(depth)
            torch.save(checkpoint_of(network, 'backbone.'), folder / 'epoch_3.pth')
            files = [folder / 'new' / f'backbone{ending}' for ending in ('.pth', '.safetensors')]
            for file in files:
                assert run_tool('export_backbone.py', folder / 'epoch_3.pth', file) == 0
            made[depth] = (network, *files)
        return made[depth]

    return export


def mm_features(toolbox, depth, file, films):
    init_cfg = dict(type='Pretrained', checkpoint=str(file))
    network = MODELS.build(
        dict(type=f'{toolbox}.ResNet', depth=depth, out_indices=(3,), init_cfg=init_cfg)
    )
    network.init_weights()
    network.eval()
    return network(films)[-1].mean(dim=(2, 3))


@pytest.mark.parametrize('depth', [18, 50])
@pytest.mark.parametrize('toolbox', ['mmpretrain', 'mmseg', 'mmdet', 'torchvision', 'timm'])
def test_every_librarys_model_gives_the_same_features(
    run_tool, exported, tmp_path, capsys, toolbox, depth
):
    if find_spec(toolbox) is None:
        pytest.skip(f'{toolbox} is not installed')
    reference, pth, safetensors = exported(run_tool, depth)
    again = tmp_path / 'again.pth'
    source = pth.parents[1] / 'epoch_3.pth'
    assert run_tool('export_backbone.py', source, again, '--layout', toolbox) == 0
    films = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        expected = reference(films)
        if toolbox == 'torchvision':
            network = getattr(torchvision.models, f'resnet{depth}')()
            weights = torch.load(again, weights_only=True)['state_dict']
            problems = network.load_state_dict(weights, strict=False)
            assert (problems.missing_keys, problems.unexpected_keys) == (
                ['fc.weight', 'fc.bias'],
                [],
            )
            network.fc = torch.nn.Identity()
            features = [network.eval()(films)]
        elif toolbox == 'timm':
            import timm

            features = [
                timm.create_model(
                    f'resnet{depth}', num_classes=0, checkpoint_path=str(file)
                ).eval()(films)
                for file in (again, safetensors)
            ]
        else:
            features = [mm_features(toolbox, depth, again, films)]
    for feature in features:
        assert torch.allclose(feature, expected, rtol=0, atol=1e-6)


def test_where_it_comes_from_is_inside(run_tool, exported, capsys):
    reference, pth, safetensors = exported(run_tool, 18)
    loaded = torch.load(pth, weights_only=True)
    with safe_open(safetensors, framework='pt') as file:
        strings = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert strings == {'format': 'pt', **loaded['meta']}
    assert strings['architecture'] == 'ResNet-18'
    assert (strings['epoch'], strings['iter']) == ('3', '90')
    assert strings['config'] == 'depth = 18\nä = 1'
    assert strings['data_sets'] == 'NIHCC, MURA'
    assert strings['muscle_mm_revision'] == 'abc'
    assert len(strings['source_sha256']) == 64
    assert tensors.keys() == loaded['state_dict'].keys() == reference.state_dict().keys()
    for name, value in reference.state_dict().items():
        assert torch.equal(tensors[name], value) and torch.equal(loaded['state_dict'][name], value)


@pytest.mark.parametrize('ending', ['.pth', '.safetensors'])
def test_the_same_checkpoint_gives_the_same_bytes(run_tool, exported, tmp_path, capsys, ending):
    first = dict(zip(('.pth', '.safetensors'), exported(run_tool, 18)[1:], strict=True))[ending]
    again = tmp_path / f'other_name{ending}'
    assert run_tool('export_backbone.py', first.parents[1] / 'epoch_3.pth', again) == 0
    assert again.read_bytes() == first.read_bytes()
    assert 'ResNet-18, 120 tensors' in capsys.readouterr().out


def test_which_encoder_is_chosen(run_tool, resnet, tmp_path, capsys):
    key = random_resnet(18, seed=1)
    checkpoint = checkpoint_of(resnet, 'backbone.')
    checkpoint['state_dict'] |= checkpoint_of(key, 'momentum_backbone.')['state_dict']
    torch.save(checkpoint, tmp_path / 'md_moco.pth')
    for options, expected in (
        ([], resnet),
        (['--which', 'query'], resnet),
        (['--which', 'key'], key),
    ):
        out = tmp_path / 'out.pth'
        assert run_tool('export_backbone.py', tmp_path / 'md_moco.pth', out, *options) == 0
        weight = torch.load(out, weights_only=True)['state_dict']['conv1.weight']
        assert torch.equal(weight, expected.conv1.weight)
    out = tmp_path / 'shared.pth'
    arguments = (tmp_path / 'md_moco.pth', out, '--which', 'shared')
    assert run_tool('export_backbone.py', *arguments) == 1
    assert 'the continual step (step 2): no name in' in capsys.readouterr().err
    checkpoint['state_dict']['tasks.lung.decode_head.weight'] = torch.zeros(1)
    torch.save(checkpoint, tmp_path / 'md_moco.pth')
    assert run_tool('export_backbone.py', *arguments) == 0


def test_another_ending_is_one_message(run_tool, tmp_path, capsys):
    assert run_tool('export_backbone.py', tmp_path / 'no.pth', tmp_path / 'out.onnx') == 1
    assert 'out.onnx: the ending must be .pth or .safetensors' in capsys.readouterr().err


def test_a_surplus_weight_is_one_message(run_tool, resnet, tmp_path, capsys):
    checkpoint = checkpoint_of(resnet, 'backbone.')
    checkpoint['state_dict']['backbone.stem.0.weight'] = torch.zeros(1)
    torch.save(checkpoint, tmp_path / 'broken.pth')
    assert run_tool('export_backbone.py', tmp_path / 'broken.pth', tmp_path / 'out.pth') == 1
    message = capsys.readouterr().err
    assert '1 names that this backbone does not have: backbone.stem.0.weight' in message
    assert not (tmp_path / 'out.pth').exists()


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


def test_a_tasks_batch_norm_statistics_are_chosen(run_tool, resnet, tmp_path, capsys):
    checkpoint = checkpoint_of(resnet, 'backbone.')
    own = torch.full((64,), 7.0)
    checkpoint['state_dict']['tasks.lung.backbone.bn1.running_mean'] = own
    torch.save(checkpoint, tmp_path / 'step2.pth')
    for options, expected in (([], resnet.bn1.running_mean), (['--task', 'lung'], own)):
        out = tmp_path / 'out.pth'
        assert run_tool('export_backbone.py', tmp_path / 'step2.pth', out, *options) == 0
        weights = torch.load(out, weights_only=True)['state_dict']
        assert weights.keys() == resnet.state_dict().keys()
        assert torch.equal(weights['bn1.running_mean'], expected)
        assert torch.equal(weights['bn1.running_var'], resnet.bn1.running_var)
    arguments = (tmp_path / 'step2.pth', tmp_path / 'no.pth', '--task', 'bone')
    assert run_tool('export_backbone.py', *arguments) == 1
    message = capsys.readouterr().err
    assert "that only the task 'bone' has" in message
    assert 'It has some of lung.' in message

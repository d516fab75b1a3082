# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import torch


def weights():
    tensor = torch.ones(2)
    return {
        'backbone.conv1.weight': tensor,
        'neck.mlp.weight': tensor,
        'encoder_k.steps': torch.tensor(7),
        'encoder_k.module.0.conv1.weight': tensor * 2,
        'encoder_k.module.1.mlp.weight': tensor * 3,
        'queue': torch.arange(6.0).view(2, 3),
        'queue_ptr': torch.tensor([2]),
    }


def test_converts_there_and_back(run_tool, tmp_path, capsys):
    theirs, ours, back = (tmp_path / name for name in ('moco.pth', 'new/ours.pth', 'back.pth'))
    torch.save({'state_dict': weights()}, theirs)
    assert run_tool('convert_moco.py', theirs, ours) == 0
    assert 'muscle_mm.MDMoCo, 7 tensors, queue_len=3' in capsys.readouterr().out
    converted = torch.load(ours, weights_only=True)['state_dict']
    assert torch.equal(converted['momentum_neck.mlp.weight'], torch.full((2,), 3.0))
    assert torch.equal(converted['queue.keys'], weights()['queue'].t())
    assert run_tool('convert_moco.py', ours, back) == 0
    again = torch.load(back, weights_only=True)['state_dict']
    expected = {**weights(), 'encoder_k.steps': torch.tensor(1)}
    assert again.keys() == expected.keys()
    assert all(torch.equal(again[name], value) for name, value in expected.items())


def test_another_file_is_one_message(run_tool, tmp_path, capsys):
    torch.save({'state_dict': {'conv1.weight': torch.ones(1)}}, tmp_path / 'resnet.pth')
    assert run_tool('convert_moco.py', tmp_path / 'resnet.pth', tmp_path / 'out.pth') == 1
    assert "has no 'backbone.'" in capsys.readouterr().err
    assert not (tmp_path / 'out.pth').exists()

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import subprocess
import sys
import textwrap

import pytest
from torch import nn

from muscle_mm.utils.errors import UserError
from muscle_mm.utils.toolbox import detector_in, require_toolbox, toolbox_of


def run_without(packages, code):
    """Run code in an interpreter in which some packages cannot be imported."""
    program = textwrap.dedent(
        f"""
        import sys
        class Blocked:
            def find_spec(self, name, path=None, target=None):
                if name.split('.')[0] in {packages!r}:
                    raise ModuleNotFoundError(f"No module named '{{name}}'")
        sys.meta_path.insert(0, Blocked())
        """
    ) + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, check=False
    )


def test_the_package_imports_with_mmengine_alone():
    others = ['torch', 'torchvision', 'mmcv', 'mmpretrain', 'mmseg', 'mmdet', 'sklearn', 'pydicom']
    code = 'import muscle_mm; print(muscle_mm.__version__, muscle_mm.registry.MODELS.scope)'
    result = run_without(others, code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ['0.1.0', 'muscle_mm']


def test_a_part_whose_toolbox_is_missing_names_the_package():
    code = """
        from muscle_mm.registry import MODELS
        MODELS.build(dict(
            type='muscle_mm.MultiTaskPretrainer',
            backbone=dict(type='mmpretrain.ResNet', depth=18),
            tasks=dict(tbx=dict(type='mmdet.FasterRCNN')),
        ))
        """
    result = run_without(['mmdet'], code)
    assert result.returncode == 1
    assert 'Traceback' not in result.stderr
    (message,) = [line for line in result.stderr.splitlines() if line.startswith('Error: ')]
    assert 'model.tasks.tbx needs the package mmdet' in message
    assert '`pip install onedl-mmdetection` (OneDL line) or `pip install mmdet`' in message


def test_a_toolbox_that_a_config_names_inside_is_asked_for():
    code = """
        from muscle_mm.utils.toolbox import require_toolboxes_in
        load, pick = dict(type='LoadXray'), dict(type='Pick', of=[dict(type='mmseg.Crop')])
        require_toolboxes_in([load], 'the pipeline')
        print('none so far')
        require_toolboxes_in(dict(type='Any', pipeline=[load, pick]), 'the pipeline')
        """
    result = run_without(['mmseg'], code)
    assert result.stdout == 'none so far\n'
    (message,) = [line for line in result.stderr.splitlines() if line.startswith('Error: ')]
    assert 'the pipeline needs the package mmseg' in message


def test_the_whole_stack_is_shown_on_request(monkeypatch):
    monkeypatch.setenv('MUSCLE_MM_DEBUG', '1')
    code = """
        import muscle_mm
        raise muscle_mm.utils.errors.UserError('the folder is missing')
        """
    stderr = run_without([], code).stderr
    assert 'Traceback' in stderr
    assert 'UserError: the folder is missing' in stderr


def test_scope_of_a_type():
    pytest.importorskip('mmpretrain')
    assert toolbox_of('mmpretrain.ResNet', 'model.backbone') == 'mmpretrain'
    assert toolbox_of('my_package.Net', 'model.backbone') == 'my_package'
    with pytest.raises(UserError, match=r"model\.backbone: type='ResNet' does not say which"):
        toolbox_of('ResNet', 'model.backbone')
    with pytest.raises(UserError, match='model needs the package mmnone'):
        require_toolbox('mmnone', 'model')


def test_a_backbone_of_mmdet_is_no_detector(detector_head):
    backbone = pytest.importorskip('mmdet.models').ResNet(depth=18)
    assert detector_in(backbone) is None
    assert detector_in(nn.Sequential(backbone, detector_head)) == 'RPNHead'

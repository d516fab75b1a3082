# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What tests of several folders share."""

import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mmengine.registry import DefaultScope

#: gloo's threads may abort an interpreter that ends while the process group is there.
END_PROCESSES = """
from muscle_mm.command_line.processes_on_cpu import end_processes

end_processes()
"""


@pytest.fixture
def run_two_processes(tmp_path: Path) -> Callable[..., list[str]]:
    """Run a script as two processes of one job on the CPU, and give what each has printed.

    The script is Python, indented as in the test; further arguments are those of its command line.
    """

    def run(source: str, *arguments: object) -> list[str]:
        script = tmp_path / 'script.py'
        script.write_text(textwrap.dedent(source) + END_PROCESSES)
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            port = probe.getsockname()[1]
        environment = {
            **os.environ,
            'PYTHONPATH': os.pathsep.join(
                [str(Path(__file__).resolve().parents[1]), os.environ.get('PYTHONPATH', '')]
            ),
            'OMP_NUM_THREADS': '1',
            'CUDA_VISIBLE_DEVICES': '',
            'MASTER_ADDR': '127.0.0.1',
            'MASTER_PORT': str(port),
            'WORLD_SIZE': '2',
        }
        processes = [
            subprocess.Popen(
                [sys.executable, str(script), *map(str, arguments)],
                env={**environment, 'RANK': str(rank), 'LOCAL_RANK': str(rank)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in range(2)
        ]
        printed = []
        for process in processes:
            output, errors = process.communicate(timeout=100)
            assert process.returncode == 0, errors[-2000:]
            printed.append(output)
        return printed

    return run


#: kind of model -> (published config, what makes it small)
SMALL_MODELS = {
    'classification': (
        'pneumonia/fc_resnet18_1xb32-50e_pneumonia-224px.py',
        {'head.in_channels': 64},
    ),
    'segmentation': (
        'lung/deeplabv3_resnet18_1xb8-50e_lung-224px.py',
        {
            'decode_head.in_channels': 64,
            'decode_head.channels': 8,
            'auxiliary_head.in_channels': 32,
            'auxiliary_head.channels': 8,
        },
    ),
    'detection': (
        'tbx/faster-rcnn_resnet18-fpn_1xb8-100e_tbx-512px.py',
        {'neck.in_channels': [8, 16, 32, 64], 'roi_head.bbox_head.fc_out_channels': 16},
    ),
}


@pytest.fixture
def small_model(tmp_path: Path, monkeypatch) -> Callable[..., tuple[Path, Path]]:
    """Write a published config with a narrow backbone, and a checkpoint as mmengine writes it.

    Data are looked for in ``data`` below the test's folder; weights are random. The config gets
    further options, by dotted keys.
    """
    monkeypatch.setenv('MUSCLE_DATA_ROOT', str(tmp_path / 'data'))
    monkeypatch.setenv('MUSCLE_IMAGE_SIZE', '64')
    monkeypatch.setenv('MUSCLE_DETECTION_SIZE', '64')

    def write(kind: str, classes: tuple[str, ...], **options) -> tuple[Path, Path]:
        for toolbox in ('mmpretrain', 'mmseg', 'mmdet'):
            pytest.importorskip(toolbox)
        import torch
        from mmengine.config import Config
        from mmengine.registry import MODELS, DefaultScope, init_default_scope

        from muscle_mm.utils.toolbox import require_toolbox

        path, small = SMALL_MODELS[kind]
        configs = Path(__file__).parents[1] / 'configs/finetune'
        # Unformatted, it is written in no time.
        config = Config.fromfile(configs / path, format_python_code=False)
        config.merge_from_dict(
            {
                'model.backbone.stem_channels': 8,
                'model.backbone.base_channels': 8,
                'test_dataloader.num_workers': 0,
                'test_dataloader.persistent_workers': False,
                **{f'model.{key}': value for key, value in small.items()},
                **options,
            }
        )
        require_toolbox(config.default_scope, 'the test')
        torch.manual_seed(0)
        with DefaultScope.overwrite_default_scope('mmengine'):
            init_default_scope(config.default_scope)
            model = MODELS.build(config.model)
        model.init_weights()
        folder = tmp_path / 'run'
        folder.mkdir(exist_ok=True)
        (folder / f'{kind}.py').write_text(config.pretty_text)
        meta = {'cfg': config.pretty_text, 'dataset_meta': {'classes': classes}, 'epoch': 1}
        torch.save({'meta': meta, 'state_dict': model.state_dict()}, folder / f'{kind}.pth')
        return folder / f'{kind}.py', folder / f'{kind}.pth'

    return write


@pytest.fixture
def detector_head() -> Any:
    """A head of mmdet; skipped without it."""
    heads = pytest.importorskip('mmdet.models.dense_heads')
    with DefaultScope.overwrite_default_scope('mmdet'):
        return heads.RPNHead(in_channels=8, num_classes=1)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import importlib.util
import sys
import textwrap
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools'


@pytest.fixture
def run_tool(monkeypatch):
    """Run a script under tools/ in this process: name and command line, returns its exit code."""

    def run(name, *arguments):
        monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments)])
        spec = importlib.util.spec_from_file_location(f'tool_{Path(name).stem}', TOOLS / name)
        tool = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(tool)
        with pytest.raises(SystemExit) as left:
            tool.run_command(tool.main)
        return left.value.code

    return run


@pytest.fixture
def toy_config(tmp_path, monkeypatch):
    """A config that trains a straight line: four samples, two epochs."""
    (tmp_path / 'toy_parts.py').write_text(
        textwrap.dedent(
            """
            import torch
            from mmengine.evaluator import BaseMetric
            from mmengine.model import BaseModel
            from mmengine.registry import DATASETS, METRICS, MODELS


            @MODELS.register_module(force=True)
            class ToyLine(BaseModel):
                def __init__(self, width=1):
                    super().__init__()
                    self.line = torch.nn.Linear(1, width)

                def forward(self, inputs, target, mode):
                    output = self.line(inputs.float().reshape(-1, 1))
                    if mode == 'loss':
                        return {'loss': (output - target.reshape(-1, 1)).square().mean()}
                    return [{'output': value} for value in output]


            @DATASETS.register_module(force=True)
            class ToyPoints(torch.utils.data.Dataset):
                metainfo = {'classes': ('a', 'b')}

                def __len__(self):
                    return 4

                def __getitem__(self, index):
                    return {'inputs': float(index), 'target': 2.0 * index}


            @METRICS.register_module(force=True)
            class ToyCount(BaseMetric):
                default_prefix = 'toy'

                def process(self, data_batch, data_samples):
                    self.results.extend(data_samples)

                def compute_metrics(self, results):
                    return {'count': len(results)}
            """
        )
    )
    # mmengine keeps one logger for each name and second, bound to the stream of its test.
    config = tmp_path / f'{tmp_path.name}.py'
    config.write_text(
        textwrap.dedent(
            """
            custom_imports = dict(imports=['toy_parts'], allow_failed_imports=False)
            model = dict(type='ToyLine', width=1)
            train_dataloader = dict(
                batch_size=2,
                num_workers=0,
                dataset=dict(type='ToyPoints'),
                sampler=dict(type='DefaultSampler', shuffle=True),
                collate_fn=dict(type='default_collate'),
            )
            train_cfg = dict(by_epoch=True, max_epochs=2)
            optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01))
            test_dataloader = dict(
                batch_size=2,
                num_workers=0,
                dataset=dict(type='ToyPoints'),
                sampler=dict(type='DefaultSampler', shuffle=False),
                collate_fn=dict(type='default_collate'),
            )
            test_cfg = dict()
            test_evaluator = dict(type='ToyCount')
            """
        )
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return config

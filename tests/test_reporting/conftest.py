# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json

import pytest

BINARY = {
    'binary/accuracy': 97.264,
    'binary/sensitivity': 97.42,
    'binary/specificity': 96.84,
    'binary/auc': 99.61,
    'binary/auc_ci_low': 99.32,
    'binary/auc_ci_high': 99.83,
}
RESULTS = {
    'pneumonia': BINARY,
    'mura': BINARY,
    'lung': {'segmentation/dice': 95.37, 'segmentation/miou': 94.22},
    'tbx': {'detection/map': 36.71, 'detection/ap_active': 64.84, 'detection/ap_latent': 8.59},
}


def write_lines(path, records):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(json.dumps(record) for record in records) + '\n')


@pytest.fixture
def add_cell(tmp_path):
    """Write a work directory as the toolboxes' tools leave it."""

    def add(task, initialisation, seed=0, metrics=None, depth=18, tested=True):
        work_dir = tmp_path / 'finetune' / task / initialisation / f'seed{seed}'
        work_dir.mkdir(parents=True)
        backbone = f"dict(type='mmpretrain.ResNet', depth={depth})"
        (work_dir / 'some_config.py').write_text(f'model = dict(backbone={backbone})\n')
        train = [
            {
                'lr': 0.1 / step,
                'loss': 1 / step,
                'epoch': step,
                'iter': 10 * step,
                'step': 10 * step,
            }
            for step in (1, 2, 3)
        ]
        val = [{'binary/auc': 50.0 + step, 'step': step} for step in (1, 2, 3)]
        records = [record for pair in zip(train, val, strict=True) for record in pair]
        write_lines(work_dir / '20260101_000000' / 'vis_data' / 'scalars.json', records)
        if tested:
            result = RESULTS[task] if metrics is None else metrics
            write_lines(work_dir / 'test_metrics.json', [{'checkpoint': 'x', 'metrics': result}])
        return work_dir

    return add

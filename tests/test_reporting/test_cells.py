# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import math
import os

import pytest

from muscle_mm.reporting.cells import collect_cells, read_test_metrics
from muscle_mm.utils.errors import UserError


def test_cells_are_found_in_the_published_order(tmp_path, add_cell):
    add_cell('tbx', 'muscle')
    add_cell('pneumonia', 'muscle', depth=50)
    add_cell('pneumonia', 'muscle', seed=1)
    add_cell('pneumonia', 'scratch')
    add_cell('lung', 'scratch', tested=False)
    cells = collect_cells(tmp_path)
    assert [(c.task, c.backbone, c.initialisation, c.seed) for c in cells] == [
        ('pneumonia', 'R18', 'scratch', 0),
        ('pneumonia', 'R18', 'muscle', 1),
        ('pneumonia', 'R50', 'muscle', 0),
        ('tbx', 'R18', 'muscle', 0),
    ]
    assert cells[-1].metrics == {
        'detection/map': 36.71,
        'detection/ap_active': 64.84,
        'detection/ap_latent': 8.59,
    }


def test_the_newest_readable_result_counts(add_cell):
    work_dir = add_cell('mura', 'scratch')
    for time, (stamp, text) in enumerate(
        [
            ('20300101_000000', '{"binary/auc": 1.0}'),
            ('20300102_000000', '{"binary/auc": NaN, "time": 3}'),
            ('20300103_000000', '{"binary/a'),
        ]
    ):
        path = work_dir / 'test' / stamp / f'{stamp}.json'
        path.parent.mkdir(parents=True)
        path.write_text(text)
        os.utime(path, (4e9 + time, 4e9 + time))
    metrics = read_test_metrics(work_dir)
    assert list(metrics) == ['binary/auc']
    assert math.isnan(metrics['binary/auc'])
    assert read_test_metrics(work_dir / 'nowhere') is None


def test_nothing_tested_is_one_message(tmp_path):
    with pytest.raises(UserError, match='no test result found: expected'):
        collect_cells(tmp_path)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import math
import os

import pytest

from muscle_mm.reporting.cells import collect_cells, read_test_metrics
from muscle_mm.utils.errors import UserError


def test_cells_are_found_in_the_published_order(tmp_path, add_cell):
    add_cell('tbx', 'muscle')
    add_cell('pneumonia', 'muscle', backbone='resnet50')
    add_cell('pneumonia', 'muscle', seed=10)
    add_cell('pneumonia', 'muscle', seed=2)
    add_cell('pneumonia', 'other', backbone='convnext')
    add_cell('pneumonia', 'scratch')
    add_cell('lung', 'scratch', tested=False)
    found = collect_cells(tmp_path)
    assert [(c.task, c.backbone, c.initialisation, c.seed) for c in found.tested] == [
        ('pneumonia', 'R18', 'scratch', 0),
        ('pneumonia', 'R18', 'muscle', 2),
        ('pneumonia', 'R18', 'muscle', 10),
        ('pneumonia', 'R50', 'muscle', 0),
        ('pneumonia', 'convnext', 'other', 0),
        ('tbx', 'R18', 'muscle', 0),
    ]
    assert found.tested[-1].metrics == {
        'detection/map': 36.71,
        'detection/ap_active': 64.84,
        'detection/ap_latent': 8.59,
    }
    assert [cell.label for cell in found.untested] == ['R18 Scratch']
    assert found.problems == []


def test_the_newest_readable_result_counts(add_cell):
    work_dir = add_cell('mura', 'scratch')
    for time, (stamp, text) in enumerate(
        [
            ('20300101_000000', '{"binary/auc": 1.0}'),
            ('20300102_000000', '{"binary/auc": NaN, "time": 3}'),
            ('20300103_000000', '{"binary/a'),
            ('20300104_000000', '[1]'),
            ('20300105_000000', '{"metrics": 3}'),
        ]
    ):
        path = work_dir / 'test' / stamp / f'{stamp}.json'
        path.parent.mkdir(parents=True)
        path.write_text(text)
        os.utime(path, (4e9 + time, 4e9 + time))
    problems = []
    metrics, folder = read_test_metrics(work_dir, problems)
    assert list(metrics) == ['binary/auc']
    assert math.isnan(metrics['binary/auc'])
    assert folder == work_dir / 'test'
    assert len(problems) == 3
    assert '20300105_000000.json holds no measures' in problems[0]
    assert '20300104_000000.json holds no measures' in problems[1]
    assert '20300103_000000.json cannot be read as JSON' in problems[2]
    assert read_test_metrics(work_dir / 'nowhere', problems) == ({}, work_dir / 'nowhere')


def test_a_result_that_cannot_be_read_is_no_result(tmp_path, add_cell):
    add_cell('mura', 'scratch')
    broken = add_cell('mura', 'muscle') / 'test_metrics.json'
    broken.write_text(broken.read_text()[:-9])
    found = collect_cells(tmp_path)
    assert [cell.initialisation for cell in found.untested] == ['muscle']
    assert str(broken) in found.problems[0]


def test_nothing_tested_is_one_message(tmp_path, add_cell):
    with pytest.raises(UserError, match='no test result found: expected'):
        collect_cells(tmp_path)
    (add_cell('mura', 'scratch') / 'test_metrics.json').write_text('{')
    with pytest.raises(UserError, match=r'no test result found.*cannot be read as JSON'):
        collect_cells(tmp_path)

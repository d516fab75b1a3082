# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json

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


def test_the_newest_readable_result_counts(tmp_path):
    for stamp, text in (
        ('20260101_000000', '{"binary/auc": 1.0}'),
        ('20260102_000000', '{"binary/auc": NaN, "time": 3}'),
        ('20260103_000000', '{"binary/a'),
    ):
        (tmp_path / stamp).mkdir()
        (tmp_path / stamp / f'{stamp}.json').write_text(text)
    metrics = read_test_metrics(tmp_path)
    assert list(metrics) == ['binary/auc']
    assert json.dumps(metrics['binary/auc']) == 'NaN'
    assert read_test_metrics(tmp_path / 'nowhere') is None


def test_nothing_tested_is_one_message(tmp_path):
    with pytest.raises(UserError, match='no test result found: expected'):
        collect_cells(tmp_path)

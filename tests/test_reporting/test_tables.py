# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json
import math

import pytest

from muscle_mm.reporting.cells import collect_cells
from muscle_mm.reporting.tables import ResultTable


@pytest.fixture
def table(tmp_path, add_cell):
    for task in ('pneumonia', 'mura', 'lung', 'tbx'):
        add_cell(task, 'muscle')
    add_cell('lung', 'scratch')
    return ResultTable(collect_cells(tmp_path), note='A note.')


def test_markdown_has_the_published_columns_and_marks_what_is_missing(table):
    lines = table.to_markdown().splitlines()
    assert lines[0] == (
        '| backbone, pre-training '
        '| Pneumonia: accuracy / sensitivity / specificity / AUC (95% CI) '
        '| MURA: accuracy / sensitivity / specificity / AUC (95% CI) '
        '| Lung: Dice / mIoU | TBX: mAP / AP-Active / AP-Latent |'
    )
    assert lines[2] == (
        '| R18 Scratch | - / - / - / - | - / - / - / - | 95.37 / 94.22 | - / - / - |'
    )
    assert lines[3] == (
        '| R18 MUSCLE | 97.26 / 97.42 / 96.84 / 99.61 (99.32-99.83) '
        '| 97.26 / 97.42 / 96.84 / 99.61 (99.32-99.83) | 95.37 / 94.22 | 36.71 / 64.84 / 8.59 |'
    )
    assert 'A note.' in lines


def test_text_fits_a_terminal(table):
    text = table.to_text()
    assert max(len(line) for line in text.split('\n\n')[0].splitlines()) <= 80
    assert '99.61 (99.32-99.83)' in text
    assert text.splitlines()[0].split() == [
        'Pneumonia', 'accuracy', 'sensitivity', 'specificity', 'AUC', '(95%', 'CI)',
    ]  # fmt: skip


def test_json_holds_every_value(table):
    content = json.loads(json.dumps(table.to_json(), allow_nan=False))
    muscle = content['rows'][1]
    assert muscle['label'] == 'R18 MUSCLE'
    assert muscle['tasks']['pneumonia']['mean']['binary/accuracy'] == 97.264
    assert muscle['tasks']['lung']['seeds']['0']['segmentation/miou'] == 94.22
    assert content['rows'][0]['tasks']['tbx'] == {'mean': {}, 'seeds': {}}


def test_several_seeds_give_their_mean_without_an_interval(tmp_path, add_cell):
    add_cell(
        'mura',
        'scratch',
        0,
        {'binary/auc': 80.0, 'binary/auc_ci_low': 70, 'binary/auc_ci_high': 90},
    )
    add_cell(
        'mura',
        'scratch',
        1,
        {'binary/auc': 90.0, 'binary/auc_ci_low': 80, 'binary/auc_ci_high': 95},
    )
    table = ResultTable(collect_cells(tmp_path))
    assert '| - / - / - / 85.00 |' in table.to_markdown()
    assert 'Means over 2 seeds (0, 1).' in table.to_text()


def test_what_is_undefined_is_written_as_nan_and_null(tmp_path, add_cell):
    nan = float('nan')
    add_cell(
        'mura',
        'scratch',
        0,
        {'binary/auc': nan, 'binary/auc_ci_low': nan, 'binary/auc_ci_high': nan},
    )
    table = ResultTable(collect_cells(tmp_path))
    assert '| - / - / - / nan |' in table.to_markdown()
    assert math.isnan(table.value(('R18', 'scratch'), 'mura', 'binary/auc'))
    assert table.to_json()['rows'][0]['tasks']['mura']['mean']['binary/auc'] is None


def test_other_data_bring_their_own_titles_and_classes(tmp_path, add_cell):
    boxes = {'detection/map': 50, 'detection/ap_right_lung': 60, 'detection/ap_left_lung': 40}
    add_cell('tbx', 'scratch', 0, boxes)
    add_cell('hip', 'scratch', 0, {'binary/auc': 70})
    table = ResultTable(collect_cells(tmp_path), {'tbx': 'Lung boxes', 'mura': 'Knee'})
    head = table.to_markdown().splitlines()[0]
    assert '| Lung boxes: mAP / AP-Right Lung / AP-Left Lung | hip: binary/auc |' in head
    assert '| Knee: accuracy' in head

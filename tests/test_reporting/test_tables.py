# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import math

import pytest

from muscle_mm.reporting.cells import collect_cells
from muscle_mm.reporting.labels import INITIALISATION_LABELS
from muscle_mm.reporting.tables import MISSING, ResultTable, label_of, main_column

PUBLISHED_ROWS = [(b, name) for b in ('R18', 'R50') for name in INITIALISATION_LABELS]
MUSCLE, SCRATCH = ('R18', 'muscle'), ('R18', 'scratch')


def texts(table, row, task):
    return [table.text_of(row, task, column) for column in table.columns[task]]


def test_all_published_rows_are_there_and_others_after_them(tmp_path, add_cell):
    add_cell('lung', 'muscle')
    add_cell('lung', 'ark')
    add_cell('lung', 'muscle', backbone='vit')
    table = ResultTable(collect_cells(tmp_path).tested)
    assert table.rows == [
        *PUBLISHED_ROWS[:5],
        ('R18', 'ark'),
        *PUBLISHED_ROWS[5:],
        ('vit', 'muscle'),
    ]
    assert table.backbones == ['R18', 'R50', 'vit']
    assert label_of(table.rows[5]) == 'R18 ark'
    assert texts(table, MUSCLE, 'lung') == ['95.37', '94.22']
    assert texts(table, SCRATCH, 'lung') == [MISSING] * 2
    assert texts(table, MUSCLE, 'tbx') == [MISSING] * 3


def test_the_interval_of_one_seed_is_the_metrics_own(tmp_path, add_cell):
    add_cell('pneumonia', 'muscle')
    table = ResultTable(
        collect_cells(tmp_path).tested, intervals={(MUSCLE, 'pneumonia'): (1.0, 2.0)}
    )
    assert texts(table, MUSCLE, 'pneumonia') == ['97.26', '97.42', '96.84', '99.61 (99.32-99.83)']


def test_several_seeds_give_mean_and_standard_deviation(tmp_path, add_cell):
    for seed, auc in enumerate((80.0, 90.0)):
        limits = {'binary/auc_ci_low': auc - 9, 'binary/auc_ci_high': auc + 9}
        add_cell('mura', 'scratch', seed, {'binary/auc': auc, **limits})
    cells = collect_cells(tmp_path).tested
    # The mean of the seeds' limits would be no interval of the mean.
    assert texts(ResultTable(cells), SCRATCH, 'mura')[-1] == '85.00 ± 7.07'
    table = ResultTable(cells, intervals={(SCRATCH, 'mura'): (81.0, 88.0)})
    assert texts(table, SCRATCH, 'mura')[-1] == '85.00 ± 7.07 (81.00-88.00)'
    assert table.seeds == [0, 1]


def test_what_is_undefined_is_nan(tmp_path, add_cell):
    nan = float('nan')
    for seed, value in enumerate((nan, 5.0)):
        limits = {'binary/auc_ci_low': nan, 'binary/auc_ci_high': nan}
        add_cell('mura', 'scratch', seed, {'binary/auc': value, **limits})
    table = ResultTable(collect_cells(tmp_path).tested)
    assert texts(table, SCRATCH, 'mura')[-1] == 'nan'
    assert math.isnan(table.value(SCRATCH, 'mura', 'binary/auc'))
    assert table.spread(SCRATCH, 'mura', 'binary/auc') is None


def test_published_values_have_the_same_columns(tmp_path, add_cell):
    add_cell('tbx', 'muscle')
    add_cell('hip', 'muscle', metrics={'binary/auc': 70.0})
    table = ResultTable(collect_cells(tmp_path).tested)
    published = {
        task: [table.published_text(MUSCLE, task, column) for column in table.columns[task]]
        for task in table.tasks
    }
    assert published['pneumonia'] == ['97.26', '97.42', '96.84', '99.61 (99.32-99.83)']
    assert published['lung'] == ['95.37', '94.22']
    assert published['tbx'] == ['36.71', '64.84', '8.59']
    assert published['hip'] == [MISSING]
    assert table.published_text(('R18', 'ark'), 'tbx', table.columns['tbx'][0]) == MISSING


def test_other_data_bring_their_own_titles_and_classes(tmp_path, add_cell):
    boxes = {'detection/map': 50, 'detection/ap_right_lung': 60, 'detection/ap_left_lung': 40}
    add_cell('tbx', 'scratch', 0, boxes)
    table = ResultTable(collect_cells(tmp_path).tested, {'tbx': 'Lung boxes'})
    assert table.titles['tbx'] == 'Lung boxes'
    assert [column.header for column in table.columns['tbx']] == [
        'mAP',
        'AP-Right Lung',
        'AP-Left Lung',
    ]
    row = ('R18', 'scratch')
    assert [table.published_text(row, 'tbx', column) for column in table.columns['tbx']] == [
        '30.71',
        MISSING,
        MISSING,
    ]


@pytest.mark.parametrize(
    ('task', 'key'),
    [
        ('pneumonia', 'binary/auc'),
        ('lung', 'segmentation/dice'),
        ('tbx', 'detection/map'),
        ('age', 'age/mae'),
    ],
)
def test_one_column_stands_for_a_task(tmp_path, add_cell, task, key):
    add_cell('age', 'scratch', metrics={'age/mae': 3.0, 'age/r2': 0.5})
    table = ResultTable(collect_cells(tmp_path).tested)
    assert main_column(table.columns[task]).key == key

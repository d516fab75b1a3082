# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from muscle_mm.datasets.preparation import PreparationSummary


def make(count=6, patients=3, expected=None, **others):
    records = [
        {
            'img_path': f'{i}.png',
            'patient_id': f'p{i % patients}',
            'split': ('train', 'val', 'test')[i % 3],
            'gt_label': i % 2,
            'sha256': str(i),
        }
        for i in range(count)
    ]
    values = {'task': 'classification', 'classes': ('well', 'sick'), 'rejected': 0}
    values |= {'manifest': Path('manifest.json'), **others}
    return str(
        PreparationSummary(
            name='Set',
            records=records,
            rejected_file=Path('rejected.csv'),
            expected=expected or {},
            **values,
        )
    )


def test_own_films_are_compared_with_nothing():
    lines = make().splitlines()
    assert lines[0] == 'Set: 6 images of 3 patients, manifest.json'
    assert lines[1].split() == ['train', '2', 'images', 'well', '1,', 'sick', '1']
    assert len(lines) == 4


@pytest.mark.parametrize(
    ('published', 'line'),
    [
        (6, '  as expected: found all 6 published'),
        (5856, '  DIFFERENT: found 6 of 5,856 published; 5,850 missing'),
        (4, '  DIFFERENT: found 6 of 4 published; 2 too many'),
    ],
)
def test_published_number(published, line):
    assert line in make(expected={'published_images': published}).splitlines()


def test_published_classes_and_the_papers_split():
    expected = {'published_classes': {'well': 3, 'sick': 5}, 'paper_split': (2, 1, 4)}
    lines = make(expected=expected).splitlines()
    assert '  as expected: found all 3 published images of well' in lines
    assert '  DIFFERENT: found 3 of 5 published images of sick; 2 missing' in lines
    assert '(MUSCLE 2: +0)' in lines[3]
    assert '(MUSCLE 1: +1)' in lines[4]
    assert '(MUSCLE 4: -2)' in lines[5]


def test_all_images_of_one_patient():
    assert 'WARNING: all images are of one patient' in make(patients=1)
    assert 'of one patient' not in make(patients=1, task='none')


def test_rejected_files_are_counted():
    assert '1,234 files not used, with the reasons: rejected.csv' in make(rejected=1234)


def test_other_files_are_counted_by_their_endings():
    line = '  1,003 other files, not read as films: .bmp 1,000, without an ending 3'
    assert line in make(other_files={'.bmp': 1000, '': 3}).splitlines()
    many = make(other_files={f'.{letter}': 1 for letter in 'abcdefgh'})
    assert (
        '8 other files, not read as films: .a 1, .b 1, .c 1, .d 1, .e 1, .f 1, and 2 more' in many
    )
    assert 'other files' not in make()


def test_list_of_an_earlier_preparation_is_named(tmp_path):
    assert 'exclusions.csv' not in make(manifest=tmp_path / 'manifest.json')
    (tmp_path / 'exclusions.csv').write_text('img_path,reason\n')
    assert 'exclusions.csv is of an earlier' in make(manifest=tmp_path / 'manifest.json')

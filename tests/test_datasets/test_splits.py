# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import random
from collections import Counter, defaultdict

import pytest

from muscle_mm.datasets.splits import patient_rank, split_patients


def make(patients=100, images=3, labels=2):
    return [
        {'patient_id': f'p{patient}', 'gt_label': patient % labels}
        for patient in range(patients)
        for _ in range(images)
    ]


def test_fractions_hold_in_every_class():
    records = make()
    split_of = split_patients(records)
    counts = Counter((split_of[r['patient_id']], r['gt_label']) for r in records)
    for label in (0, 1):
        assert counts['train', label] == 120
        assert counts['val', label] == counts['test', label] == 15


def test_order_of_records_does_not_matter():
    records = make()
    shuffled = random.Random(1).sample(records, len(records))
    assert split_patients(shuffled) == split_patients(records)


def test_seed_changes_the_split():
    assert split_patients(make(), seed=1) != split_patients(make(), seed=0)
    assert split_patients(make(), seed=1) == split_patients(make(), seed=1)


def test_rank_is_a_function_of_patient_and_seed():
    assert patient_rank('p1', 0) == patient_rank('p1', 0)
    assert patient_rank('p1', 0) != patient_rank('p1', 1)
    assert patient_rank('p1', 0) != patient_rank('p2', 0)
    # pinned: another value would move patients between splits of data prepared before
    assert patient_rank('p1', 0).startswith('fc7902413132')


def test_few_new_patients_move_few_old_ones():
    before, after = split_patients(make(1000)), split_patients(make(1010))
    assert sum(before[patient] != after[patient] for patient in before) < 15


def test_patients_with_very_different_numbers_of_images():
    records = [
        {'patient_id': f'p{patient}', 'gt_label': 0}
        for patient in range(200)
        for _ in range(1 + patient % 20)
    ]
    split_of = split_patients(records)
    counts = Counter(split_of[record['patient_id']] for record in records)
    assert counts['train'] / len(records) == pytest.approx(0.8, abs=0.02)
    assert counts['val'] / len(records) == pytest.approx(0.1, abs=0.01)


def test_patient_with_two_labels_stays_whole():
    records = make(20) + [{'patient_id': f'p{patient}', 'gt_label': 1} for patient in range(20)]
    split_of = split_patients(records)
    assert set(split_of) == {f'p{patient}' for patient in range(20)}


@pytest.mark.parametrize(
    ('patients', 'expected'),
    [
        (0, {}),
        (1, {'train': 1}),
        (2, {'train': 2}),
        (3, {'train': 1, 'val': 1, 'test': 1}),
        (5, {'train': 3, 'val': 1, 'test': 1}),
        (10, {'train': 8, 'val': 1, 'test': 1}),
    ],
)
def test_small_groups(patients, expected):
    assert Counter(split_patients(make(patients, images=2, labels=1)).values()) == expected


def test_fraction_of_zero_takes_nobody():
    assert set(split_patients(make(), test_fraction=0).values()) == {'train', 'val'}


def test_detection_is_stratified_by_the_classes_of_the_boxes():
    records = [
        {'patient_id': f'p{i}', 'instances': [{'bbox_label': i % 2}, {'bbox_label': 0}]}
        for i in range(100)
    ]
    split_of = split_patients(records)
    counts = defaultdict(Counter)
    for i in range(100):
        counts[i % 2][split_of[f'p{i}']] += 1
    assert counts[0] == counts[1] == {'train': 40, 'val': 5, 'test': 5}


def test_stratum_comes_before_the_label():
    records = [{'patient_id': f'p{i}', 'gt_label': 0, 'stratum': i % 2} for i in range(100)]
    split_of = split_patients(records)
    tests = [i % 2 for i in range(100) if split_of[f'p{i}'] == 'test']
    assert sorted(tests) == [0] * 5 + [1] * 5

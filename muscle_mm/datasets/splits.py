# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Divide patients, never images, into train, validation and test."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

#: Parts of the images that become validation and test; the rest trains. As in MUSCLE: 80/10/10.
VAL_FRACTION = 0.1
TEST_FRACTION = 0.1
#: How far the part of a class may lie from these before patients are moved. Our choice.
TOLERANCE = 0.02
#: A group of this many patients has at least one in each split.
_DIVISIBLE = 3


def patient_rank(patient_id: str, seed: int) -> str:
    """Give a patient a place in line that depends on the patient id and the seed alone.

    Args:
        patient_id (str): The patient.
        seed (int): Another seed gives another order.

    Returns:
        str: A hash to sort by.
    """
    return hashlib.sha256(f'{seed}:{patient_id}'.encode('utf-8', 'surrogateescape')).hexdigest()


def patient_position(patient_id: str, seed: int) -> float:
    """Give a patient a position between 0 and 1, as ``patient_rank`` orders them.

    Args:
        patient_id (str): The patient.
        seed (int): Another seed gives other positions.

    Returns:
        float: At least 0, below 1, evenly distributed over the patients.
    """
    return int(patient_rank(patient_id, seed)[:13], 16) / 16**13


def split_patients(
    records: Iterable[Mapping[str, Any]],
    seed: int = 0,
    val_fraction: float = VAL_FRACTION,
    test_fraction: float = TEST_FRACTION,
) -> dict[str, str]:
    """Give every patient one split.

    The split is a function of patient id and seed: with the default fractions, a position (see
    ``patient_position``) below 0.1 is test, below 0.2 validation, anything else training. So a
    patient who is added, or whose file is damaged in one copy of the data, moves nobody else, and a
    patient who is in two sets is in the same split of both.

    Chance alone would leave small sets and rare classes lopsided. Patients with the same label, or
    the same set of labels, therefore form a group, and where the *images* of a group lie further
    than two percentage points from the fractions, those patients move who are nearest to the
    border, as few as will do. A group of three or more patients has at least one in each split that
    is asked for. The price: in groups below about two thousand patients, adding others can move a
    few patients near a border. Where that must not be, keep the split in a file (``--split-file``).

    The order of the records, the number of processes and the computer do not matter.

    Args:
        records (Iterable[Mapping]): Images with ``patient_id`` and, to stratify by, ``stratum``,
            ``gt_label`` or the ``bbox_label`` of their ``instances``, whichever comes first.
        seed (int): Defaults to 0.
        val_fraction (float): Part of the images for validation. Defaults to 0.1.
        test_fraction (float): Part of the images for the test. Defaults to 0.1.

    Returns:
        dict[str, str]: Patient id to ``'train'``, ``'val'`` or ``'test'``.
    """
    labels: dict[str, set[str]] = defaultdict(set)
    images: dict[str, int] = defaultdict(int)
    for record in records:
        labels[record['patient_id']].update(_labels_of(record))
        images[record['patient_id']] += 1
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for patient_id, found in labels.items():
        groups[tuple(sorted(found))].append(patient_id)

    # Combinations of labels that hardly anyone has are too few to divide: they form one group.
    rare = [
        patient_id
        for patients in groups.values()
        if len(patients) < _DIVISIBLE
        for patient_id in patients
    ]
    divisible = [patients for patients in groups.values() if len(patients) >= _DIVISIBLE]

    split_of: dict[str, str] = {}
    for patients in (*divisible, rare):
        patients.sort(key=lambda patient_id: patient_rank(patient_id, seed))
        positions = [patient_position(patient_id, seed) for patient_id in patients]
        sizes = [images[patient_id] for patient_id in patients]
        first, place = 0, 0.0
        for split, fraction, behind in (
            ('test', test_fraction, 2 if val_fraction else 1),
            ('val', val_fraction, 1),
        ):
            place += fraction
            natural = sum(position < place for position in positions)
            last = _border(sizes, first, natural, fraction, behind) if fraction else first
            split_of.update(dict.fromkeys(patients[first:last], split))
            first = last
        split_of.update(dict.fromkeys(patients[first:], 'train'))
    return split_of


def _border(sizes: Sequence[int], first: int, natural: int, fraction: float, behind: int) -> int:
    """Find where a split of a group ends.

    Args:
        sizes (Sequence[int]): Images of each patient, in line.
        first (int): The first patient of the split.
        natural (int): Where the split ends by the patients' positions.
        fraction (float): Part of the group's images that is wanted.
        behind (int): Patients who must be left over for the splits behind.

    Returns:
        int: The first patient behind the split.
    """
    total = sum(sizes)
    taken = [0, *accumulate(sizes[first:])]
    nearest = first + 1 if len(sizes) >= _DIVISIBLE else first
    choices = range(nearest, max(len(sizes) - behind, nearest) + 1)

    def cost(end: int) -> tuple[float, int]:
        excess = abs(taken[end - first] - fraction * total) - TOLERANCE * total
        return max(excess, 0), abs(end - natural)

    return min(choices, key=cost)


def _labels_of(record: Mapping[str, Any]) -> set[str]:
    """Name what a record is stratified by."""
    for key in ('stratum', 'gt_label'):
        if key in record:
            return {str(record[key])}
    return {str(instance['bbox_label']) for instance in record.get('instances', ())}

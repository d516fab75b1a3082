# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Divide patients, never images, into train, validation and test."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

#: Parts of the images that become validation and test; the rest trains. As in MUSCLE: 80/10/10.
VAL_FRACTION = 0.1
TEST_FRACTION = 0.1


def patient_rank(patient_id: str, seed: int) -> str:
    """Give a patient a place in line that depends on the patient id and the seed alone.

    Args:
        patient_id (str): The patient.
        seed (int): Another seed gives another order.

    Returns:
        str: A hash to sort by.
    """
    return hashlib.sha256(f'{seed}:{patient_id}'.encode('utf-8', 'surrogateescape')).hexdigest()


def split_patients(
    records: Iterable[Mapping[str, Any]],
    seed: int = 0,
    val_fraction: float = VAL_FRACTION,
    test_fraction: float = TEST_FRACTION,
) -> dict[str, str]:
    """Give every patient one split.

    Patients with the same label, or the same set of labels, form a group. Each group is sorted by
    ``patient_rank`` and cut where the *images* come closest to the fractions; a group of three or
    more patients has at least one in each split that is asked for. The order of the records, the
    number of processes and the computer do not matter.

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

    split_of: dict[str, str] = {}
    for patients in groups.values():
        patients.sort(key=lambda patient_id: patient_rank(patient_id, seed))
        total = sum(images[patient_id] for patient_id in patients)
        start = 0
        for split, fraction in (('test', test_fraction), ('val', val_fraction)):
            end, taken = start, 0
            while end < len(patients):
                size = images[patients[end]]
                wanted = taken + size / 2 <= fraction * total
                needed = end == start and fraction > 0 and len(patients) >= 3
                if not (wanted or needed):
                    break
                taken += size
                end += 1
            split_of.update(dict.fromkeys(patients[start:end], split))
            start = end
        split_of.update(dict.fromkeys(patients[start:], 'train'))
    return split_of


def _labels_of(record: Mapping[str, Any]) -> set[str]:
    """Name what a record is stratified by."""
    for key in ('stratum', 'gt_label'):
        if key in record:
            return {str(record[key])}
    return {str(instance['bbox_label']) for instance in record.get('instances', ())}

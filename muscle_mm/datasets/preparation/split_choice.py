# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The split as published, or by patient."""

from __future__ import annotations

from typing import Any

from muscle_mm.datasets.preparation.rejections import Rejections
from muscle_mm.datasets.splits import split_patients
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.utils.errors import UserError


def split_as_published(
    cls: type[XrayDataset],
    records: list[dict[str, Any]],
    seed: int,
    rejections: Rejections,
) -> list[dict[str, Any]]:
    """Keep the split of the source; where it has no validation set, take one from training.

    Args:
        cls (type[XrayDataset]): The set.
        records (list[dict]): The images.
        seed (int): Of the validation set.
        rejections (Rejections): Takes images that the source's split leaves out.

    Returns:
        list[dict]: The images with a split.

    Raises:
        UserError: If the source has no split.
    """
    for record in records:
        if 'split' not in record:
            rejections.add(record['img_path'], 'not in the official split')
    records = [record for record in records if 'split' in record]
    if not records:
        raise UserError(
            f'{cls.__name__}: the source has no official split. Leave out --official-split.'
        )
    if not any(record['split'] == 'val' for record in records):
        train = [record for record in records if record['split'] == 'train']
        split_of = split_patients(train, seed, test_fraction=0)
        for record in train:
            record['split'] = split_of[record['patient_id']]
    return records


def split_by_patient(records: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Divide the patients 80/10/10.

    Args:
        records (list[dict]): The images.
        seed (int): Another seed gives another split.

    Returns:
        list[dict]: The images with a split.
    """
    split_of = split_patients(records, seed)
    return [record | {'split': split_of[record['patient_id']]} for record in records]

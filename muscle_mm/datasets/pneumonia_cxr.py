# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Kermany's chest films of children with and without pneumonia."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.scanning import image_files, nothing_found, relative
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS

_PATIENT = re.compile(r'person\d+|(?:NORMAL2-)?IM-\d+')


@DATASETS.register_module()
class PneumoniaCXR(XrayDataset):
    """Pneumonia (Kermany): 5,856 chest films of children, normal or pneumonia.

    * Body part: chest. Task: classification. In MUSCLE: 4,686 / 585 / 585 images.
    * Published: 5,856 images (1,583 normal, 4,273 pneumonia).
    * Licence: CC BY 4.0.
    * Citation: Kermany et al., "Identifying medical diagnoses and treatable diseases by image-based
      deep learning", Cell 2018, doi 10.1016/j.cell.2018.02.010.
    * Where: https://data.mendeley.com/datasets/rscbjbr9sj (train and test) or its copy on Kaggle
      (train, val and test).
    * Overlaps: none known with the other eight sets; the set itself holds byte-equal copies.
    * Patients: ``person12``, ``IM-0012`` or ``NORMAL2-IM-0012`` in the file name. The published
      folders share some of these ids, so the default is a split of our own by patient;
      ``--official-split`` keeps the folders.
    """

    METAINFO: dict = {
        'dataset': 'PneumoniaCXR',
        'task': 'classification',
        'classes': ('normal', 'pneumonia'),
        'body_part': 'chest',
        'published_images': 5856,
        'paper_images': 5856,
        'licence': 'CC BY 4.0',
        'url': 'https://data.mendeley.com/datasets/rscbjbr9sj',
    }

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Yield the images of ``chest_xray/{train,val,test}/``; see ``XrayDataset.scan``."""
        found = False
        for split in ('train', 'val', 'test'):
            for label, folder in enumerate(('NORMAL', 'PNEUMONIA')):
                for path in image_files(source / 'chest_xray' / split / folder):
                    found = True
                    patient = _PATIENT.match(path.name)
                    record: dict[str, Any] = {'img_path': relative(path, source), 'split': split}
                    if patient:
                        record |= {'patient_id': patient.group(), 'gt_label': label}
                    else:
                        record['problem'] = (
                            'the file name names no patient: expected person12_..., IM-0012-... or '
                            'NORMAL2-IM-0012-...'
                        )
                    yield record
        if not found:
            raise nothing_found(
                cls.__name__,
                source,
                'chest_xray/{train,val,test}/NORMAL/*.jpeg',
                'chest_xray/{train,val,test}/PNEUMONIA/*.jpeg',
            )

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Kermany's chest films of children with and without pneumonia."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.published_layout import find_root
from muscle_mm.datasets.scanning import image_files, relative
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS

_ROOTS = (
    'chest_xray',
    'CellData/chest_xray',  # version 3 on Mendeley
    'ZhangLabData/CellData/chest_xray',
    'chest_xray/chest_xray',  # Kaggle: the set a second time
    '',
)
_FOLDERS = ('NORMAL', 'PNEUMONIA')
#: What a file name says: the patient, and whether he is ill.
_ILL = re.compile(r'(?P<patient>person\d+)_(?:bacteria|virus)_|(?:BACTERIA|VIRUS)-(?P<number>\d+)-')
_WELL = re.compile(r'(?P<patient>(?:NORMAL2-)?IM-\d+)-|NORMAL-(?P<number>\d+)-')


@DATASETS.register_module()
class PneumoniaCXR(XrayDataset):
    """Pneumonia (Kermany): 5,856 chest films of children, normal or pneumonia.

    * Body part: chest. Task: classification. In MUSCLE: 4,686 / 585 / 585 images.
    * Published: 5,856 images (1,583 normal, 4,273 pneumonia), 5,232 of them in ``train`` and 624
      in ``test``; Kaggle's copy takes 16 out of ``train`` as ``val``.
    * Licence: CC BY 4.0.
    * Citation: Kermany et al., "Identifying medical diagnoses and treatable diseases by image-based
      deep learning", Cell 2018, doi 10.1016/j.cell.2018.02.010.
    * Where: https://data.mendeley.com/datasets/rscbjbr9sj (train and test) or its copy on Kaggle
      (train, val and test).
    * Overlaps: none known with the other eight sets; the set itself holds byte-equal copies.
    * Patients: ``person12``, ``IM-0012`` or ``NORMAL2-IM-0012`` in the file name, in version 3 the
      number in ``BACTERIA-1008087-0001``. The published folders share some of these ids, so the
      default is a split of our own by patient; ``--official-split`` keeps the folders.
    """

    METAINFO: dict = {
        'dataset': 'PneumoniaCXR',
        'task': 'classification',
        'classes': ('normal', 'pneumonia'),
        'body_part': 'chest',
        'published_images': 5856,
        'published_classes': {'normal': 1583, 'pneumonia': 4273},
        'paper_split': (4686, 585, 585),
        'licence': 'CC BY 4.0',
        'citation': 'Kermany et al., Cell 2018, doi 10.1016/j.cell.2018.02.010',
        'overlaps': (),
        'url': 'https://data.mendeley.com/datasets/rscbjbr9sj',
    }
    EXPECTED_PATHS = (
        'chest_xray/{train,val,test}/NORMAL/*.jpeg',
        'chest_xray/{train,val,test}/PNEUMONIA/*.jpeg',
    )

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Yield the images of ``chest_xray/{train,val,test}/``; see ``XrayDataset.scan``."""
        holds = [f'{split}/{folder}' for split in ('train', 'test') for folder in _FOLDERS]
        root = find_root(source, _ROOTS, holds)
        if root is None:
            return
        for split in ('train', 'val', 'test'):
            for path in image_files(root / split):
                yield {
                    'img_path': relative(path, source),
                    'split': split,
                    **cls._read_path(path.relative_to(root / split)),
                }

    @staticmethod
    def _read_path(path: Path) -> dict[str, Any]:
        """Read NORMAL/IM-0115-0001.jpeg: who it is of, and with what."""
        if len(path.parts) != 2 or path.parts[0] not in _FOLDERS:
            return {'problem': 'not inside NORMAL/ or PNEUMONIA/'}
        label = _FOLDERS.index(path.parts[0])
        ill, well = _ILL.match(path.name), _WELL.match(path.name)
        named = ill or well
        if named is None:
            return {
                'problem': 'the file name names no patient: expected person12_virus_3, '
                'IM-0012-0001, NORMAL2-IM-0012-0001 or BACTERIA-1008087-0001'
            }
        if (named is ill) != bool(label):
            return {
                'problem': f'its name is that of a film {"with" if ill else "without"} pneumonia, '
                f'but it lies in {path.parts[0]}/'
            }
        return {'patient_id': named['patient'] or named['number'], 'gt_label': label}

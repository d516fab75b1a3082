# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The RSNA paediatric bone age set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.published_layout import (
    TableValues,
    find_root,
    listed_path,
    missing_record,
    named_films,
)
from muscle_mm.datasets.scanning import read_table
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS

_NAME = re.compile(r'(\d+)\.png')
_FOLDER = 'boneage-training-dataset'
_ROOTS = ('', 'Bone Age Training Set', 'Bone+Age+Training+Set')
_TABLES = ('boneage-training-dataset.csv', 'train.csv')


@DATASETS.register_module()
class RSNABoneAge(XrayDataset):
    """RSNA Bone Age: 12,611 training films of children's hands, used without labels (step 1).

    * Body part: hand. Task: none. In MUSCLE: 10,811 images; published for training: 12,611. The
      1,425 validation and 200 test films, archives of their own, are not read.
    * Licence: the challenge's terms of use and attribution; see the page.
    * Citation: Halabi et al., "The RSNA Pediatric Bone Age Machine Learning Challenge", Radiology
      2019, doi 10.1148/radiol.2018180736.
    * Where: https://www.rsna.org/rsnai/ai-image-challenge/rsna-pediatric-bone-age-challenge-2017,
      or the copy on Kaggle (kmader/rsna-bone-age).
    * Overlaps: none known with the other eight sets.
    * Patients: one film each, the number in the file name.
    """

    METAINFO: dict = {
        'dataset': 'RSNABoneAge',
        'task': 'none',
        'body_part': 'hand',
        'published_images': 12611,
        'paper_split': (10811, 0, 0),
        'licence': 'terms of the RSNA challenge',
        'citation': 'Halabi et al., Radiology 2019, doi 10.1148/radiol.2018180736',
        'overlaps': (),
        'url': (
            'https://www.rsna.org/rsnai/ai-image-challenge/rsna-pediatric-bone-age-challenge-2017'
        ),
    }
    EXPECTED_PATHS = ('boneage-training-dataset/*.png',)

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Yield the images of ``boneage-training-dataset/``; see ``XrayDataset.scan``."""
        root = find_root(source, _ROOTS, (_FOLDER,))
        if root is None:
            return
        # Kaggle's copy has the folder twice, one in the other.
        folder = root / _FOLDER / _FOLDER
        if not folder.is_dir():
            folder = root / _FOLDER
        table = cls._read_table(source, root)
        found = set()
        for record in named_films(folder, source, _NAME, '1377.png'):
            found.add(Path(record['img_path']).stem)
            if table is not None and 'patient_id' in record:
                problem = table.find(record['patient_id'], 'bone age')[1]
                if problem is not None:
                    record['problem'] = problem
            yield record
        if table is not None:
            for name in table.missing(found):
                film = listed_path(folder, source, f'{name}.png')
                yield missing_record(film, table.table)

    @staticmethod
    def _read_table(source: Path, root: Path) -> TableValues | None:
        """Read the bone ages; the challenge's and the later table have other names."""
        parents = (source, root, source / 'Bone Age Training Set Annotations')
        for path in (parent / name for parent in parents for name in _TABLES):
            if path.is_file():
                rows = read_table(path, ('id', 'boneage'))
                return TableValues(path.name, ((row['id'], row['boneage']) for row in rows))
        return None

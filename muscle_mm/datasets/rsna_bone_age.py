# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The RSNA paediatric bone age set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.scanning import image_files, nothing_found, read_table, relative
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS


@DATASETS.register_module()
class RSNABoneAge(XrayDataset):
    """RSNA Bone Age: 12,611 training films of children's hands, used without labels (step 1).

    * Body part: hand. Task: none. In MUSCLE: 10,811 images; published for training: 12,611.
    * Licence: terms of the RSNA challenge, research and education.
    * Citation: Halabi et al., "The RSNA Pediatric Bone Age Machine Learning Challenge", Radiology
      2019, doi 10.1148/radiol.2018180736.
    * Where: https://www.rsna.org/rsnai/ai-image-challenge/rsna-pediatric-bone-age-challenge-2017
    * Overlaps: none known with the other eight sets.
    * Patients: one film each, the number in the file name.
    """

    METAINFO: dict = {
        'dataset': 'RSNABoneAge',
        'task': 'none',
        'body_part': 'hand',
        'published_images': 12611,
        'paper_images': 10811,
        'licence': 'terms of the RSNA challenge',
        'url': (
            'https://www.rsna.org/rsnai/ai-image-challenge/rsna-pediatric-bone-age-challenge-2017'
        ),
    }

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Yield the images of ``boneage-training-dataset/``; see ``XrayDataset.scan``."""
        found = set()
        for path in image_files(source / 'boneage-training-dataset', ('.png',)):
            found.add(path.stem)
            yield {'img_path': relative(path, source), 'patient_id': path.stem}
        if not found:
            raise nothing_found(cls.__name__, source, 'boneage-training-dataset/*.png')
        table = source / 'boneage-training-dataset.csv'
        if table.is_file():
            for row in read_table(table, ('id',)):
                if row['id'] not in found:
                    yield {
                        'img_path': f'boneage-training-dataset/{row["id"]}.png',
                        'problem': f'listed in {table.name}, but the file is missing',
                    }

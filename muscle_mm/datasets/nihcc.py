# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""NIH ChestX-ray14."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.scanning import image_files, nothing_found, read_table, relative
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS


@DATASETS.register_module()
class NIHCC(XrayDataset):
    """NIH ChestX-ray14: 112,120 frontal chest films, used without labels (step 1).

    * Body part: chest. Task: none. In MUSCLE: 112,120 images, all of 30,805 patients.
    * Licence: free to use; name the NIH Clinical Center and cite the paper.
    * Citation: Wang et al., "ChestX-ray8", CVPR 2017, arXiv 1705.02315.
    * Where: https://nihcc.app.box.com/v/ChestXray-NIHCC, all of ``images_001`` to ``images_012``,
      ``Data_Entry_2017_v2020.csv``, ``train_val_list.txt`` and ``test_list.txt``.
    * Overlaps: none known with the other eight sets.
    * Patients: the number before ``_`` in the file name. Official split: the two lists.
    """

    METAINFO: dict = {
        'dataset': 'NIHCC',
        'task': 'none',
        'body_part': 'chest',
        'published_images': 112120,
        'paper_images': 112120,
        'licence': 'free to use, naming the NIH Clinical Center',
        'url': 'https://nihcc.app.box.com/v/ChestXray-NIHCC',
    }

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Yield the images of ``images_*/images/``; see ``XrayDataset.scan``."""
        split_of = {}
        for split, name in (('train', 'train_val_list.txt'), ('test', 'test_list.txt')):
            if (source / name).is_file():
                for line in (source / name).read_text(encoding='utf-8').split():
                    split_of[line] = split
        found = set()
        for folder in sorted(source.glob('images_*')):
            for path in image_files(folder, ('.png',)):
                found.add(path.name)
                record = {
                    'img_path': relative(path, source),
                    'patient_id': path.name.split('_')[0],
                }
                if path.name in split_of:
                    record['split'] = split_of[path.name]
                yield record
        if not found:
            raise nothing_found(cls.__name__, source, 'images_001/images/*.png')
        table = source / 'Data_Entry_2017_v2020.csv'
        if table.is_file():
            for row in read_table(table, ('Image Index',)):
                if row['Image Index'] not in found:
                    yield {
                        'img_path': row['Image Index'],
                        'problem': f'listed in {table.name}, but no such file in images_*/images/',
                    }

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""NIH ChestX-ray14."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.published_layout import TableValues, missing_record, named_films
from muscle_mm.datasets.scanning import read_names, read_table
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS

_NAME = re.compile(r'(\d{8})_\d{3}\.png')
_TABLES = ('Data_Entry_2017_v2020.csv', 'Data_Entry_2017.csv')
_LISTS = {'train': 'train_val_list.txt', 'test': 'test_list.txt'}


@DATASETS.register_module()
class NIHCC(XrayDataset):
    """NIH ChestX-ray14: 112,120 frontal chest films, used without labels (step 1).

    * Body part: chest. Task: none. In MUSCLE: 112,120 images, all of 30,805 patients.
    * Official lists: 86,524 images of 28,008 patients to train and validate, 25,596 of 2,797 others
      to test.
    * Licence: free to use; name the NIH Clinical Center, link the page and cite the paper.
    * Citation: Wang et al., "ChestX-ray8", CVPR 2017, arXiv 1705.02315.
    * Where: https://nihcc.app.box.com/v/ChestXray-NIHCC, all of ``images_001.tar.gz`` to
      ``images_012.tar.gz``, ``Data_Entry_2017_v2020.csv``, ``train_val_list.txt`` and
      ``test_list.txt``; or its copy on Kaggle.
    * Overlaps: none known with the other eight sets.
    * Patients: the number before ``_`` in the file name, checked against the table.
    """

    METAINFO: dict = {
        'dataset': 'NIHCC',
        'task': 'none',
        'body_part': 'chest',
        'published_images': 112120,
        'paper_split': (112120, 0, 0),
        'licence': 'free to use, naming the NIH Clinical Center',
        'citation': 'Wang et al., ChestX-ray8, CVPR 2017, arXiv 1705.02315',
        'overlaps': (),
        'url': 'https://nihcc.app.box.com/v/ChestXray-NIHCC',
    }
    EXPECTED_PATHS = ('images_001/images/*.png', 'images/*.png')

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Yield the images of ``images/`` and ``images_*/``; see ``XrayDataset.scan``."""
        places: dict[str, str] = {}
        lists = {
            split: set(read_names(source / name))
            for split, name in _LISTS.items()
            if (source / name).is_file()
        }
        table = cls._read_table(source)
        for folder in (source / 'images', *sorted(source.glob('images_*'))):
            for record in named_films(folder, source, _NAME, '00000001_000.png'):
                name = Path(record['img_path']).name
                if name in places:
                    record['problem'] = f'the same name as {places[name]}'
                places.setdefault(name, record['img_path'])
                if 'problem' not in record:
                    record |= cls._check(name, record['patient_id'], lists, table)
                yield record
        listed = {name: _LISTS[split] for split, names in lists.items() for name in sorted(names)}
        if table is not None:
            listed |= dict.fromkeys(table.missing(places), table.table)
        for name, where in listed.items():
            if name not in places:
                yield missing_record(name or where, where)

    @staticmethod
    def _read_table(source: Path) -> TableValues | None:
        """Read who each image is of, from the table of either year."""
        for name in _TABLES:
            if (source / name).is_file():
                rows = read_table(source / name, ('Image Index', 'Patient ID'))
                return TableValues(name, ((row['Image Index'], row['Patient ID']) for row in rows))
        return None

    @staticmethod
    def _check(
        name: str, patient: str, lists: dict[str, set[str]], table: TableValues | None
    ) -> dict[str, Any]:
        """Give the split of an image, or the reason against it."""
        if table is not None:
            written, problem = table.find(name, 'Patient ID')
            if written is None:
                return {'problem': problem}
            if written.lstrip('0') != patient.lstrip('0'):
                return {'problem': f'{table.table} says that it is of patient {written}'}
        splits = [split for split, names in lists.items() if name in names]
        if len(splits) > 1:
            return {'problem': f'listed in both {_LISTS["train"]} and {_LISTS["test"]}'}
        return {'split': splits[0]} if splits else {}

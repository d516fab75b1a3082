# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Stanford's musculoskeletal films."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.published_layout import TableValues, find_root, listed_path, missing_record
from muscle_mm.datasets.scanning import image_files, relative
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS
from muscle_mm.utils.errors import UserError

_ROOTS = ('MURA-v1.1', 'MURA-v1.1/MURA-v1.1', '')
#: The published validation set is our test set: the test set itself is not public.
_PARTS = {'train': 'train', 'valid': 'test'}
_PATH = re.compile(r'(XR_[A-Z]+/(patient\d+)/study\d+_(negative|positive))/[^/]+\.png')


@DATASETS.register_module()
class MURA(XrayDataset):
    """MURA: 40,005 films of elbow, finger, forearm, hand, humerus, shoulder and wrist.

    * Body part: bones of the arm. Task: classification, negative or positive (abnormal). In MUSCLE:
      32,013 / 3,997 / 3,997 images.
    * Published: 36,808 images of 13,457 studies in ``train`` and 3,197 of 1,199 in ``valid``;
      23,602 negative, 16,403 positive. The test set (556 images of 207 studies) is not public.
    * Licence: Stanford research use agreement, not commercial.
    * Citation: Rajpurkar et al., "MURA", MIDL 2018, arXiv 1712.06957.
    * Where: https://stanfordmlgroup.github.io/competitions/mura
    * Overlaps: none known with the other eight sets.
    * Patients: ``patient00001`` in the path, across body parts. The label is the study's: in the
      name of its folder, checked against ``*_labeled_studies.csv``. With ``--official-split`` the
      published ``valid`` is the test set, and validation is taken from ``train`` by patient.
    """

    METAINFO: dict = {
        'dataset': 'MURA',
        'task': 'classification',
        'classes': ('negative', 'positive'),
        'body_part': 'elbow, finger, forearm, hand, humerus, shoulder, wrist',
        'published_images': 40005,
        'published_classes': {'negative': 23602, 'positive': 16403},
        'paper_split': (32013, 3997, 3997),
        'licence': 'Stanford research use agreement',
        'citation': 'Rajpurkar et al., MURA, MIDL 2018, arXiv 1712.06957',
        'overlaps': (),
        'url': 'https://stanfordmlgroup.github.io/competitions/mura',
    }
    EXPECTED_PATHS = ('MURA-v1.1/train/XR_*/patient*/study*_{negative,positive}/*.png',)

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Yield the images of ``MURA-v1.1/{train,valid}/``; see ``XrayDataset.scan``."""
        root = find_root(source, _ROOTS, tuple(_PARTS))
        if root is None:
            return
        for part, split in _PARTS.items():
            images = cls._read_table(root / f'{part}_image_paths.csv', 1)
            studies = cls._read_table(root / f'{part}_labeled_studies.csv', 2)
            found, found_studies = set(), set()
            for path in image_files(root / part):
                name = path.relative_to(root).as_posix()
                found.add(name)
                found_studies.add(path.parent.relative_to(root).as_posix())
                record = {'img_path': relative(path, source), 'split': split}
                yield record | cls._read_path(name, part, images, studies)
            for table, there in ((images, found), (studies, found_studies)):
                if table is not None:
                    for name in table.missing(there):
                        yield missing_record(listed_path(root, source, name), table.table)

    @classmethod
    def _read_path(
        cls, name: str, part: str, images: TableValues | None, studies: TableValues | None
    ) -> dict[str, Any]:
        """Read train/XR_ELBOW/patient00001/study1_positive/image1.png, and check the tables."""
        match = _PATH.fullmatch(name.removeprefix(f'{part}/'))
        if match is None:
            return {
                'problem': 'unexpected place: expected '
                'XR_*/patient*/study*_{negative,positive}/*.png'
            }
        study, patient, label = f'{part}/{match[1]}', match[2], match[3]
        if images is not None and (problem := images.find(name, 'path')[1]):
            return {'problem': problem}
        gt_label = cls.METAINFO['classes'].index(label)
        if studies is not None:
            listed, problem = studies.find(study, 'label')
            if listed is None:
                return {'problem': f'its study: {problem}'}
            if listed not in (str(gt_label), f'{gt_label}.0'):
                return {
                    'problem': f'{studies.table} labels its study {listed}, its folder is {label}'
                }
        return {'patient_id': patient, 'gt_label': gt_label, 'study': study}

    @staticmethod
    def _read_table(path: Path, columns: int) -> TableValues | None:
        """Read a table without a heading; its paths begin with the name of the set's folder."""
        if not path.is_file():
            return None
        try:
            with open(path, newline='', encoding='utf-8-sig') as file:
                rows = [row for row in csv.reader(file) if row]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise UserError(f'{path} cannot be read as a table ({error}).') from error
        if any(len(row) != columns for row in rows):
            raise UserError(f'{path}: expected {columns} columns and no heading.')
        # MURA-v1.1/train/XR_ELBOW/patient00001/study1_positive/ is train/.../study1_positive.
        return TableValues(
            path.name, ((row[0].strip('/').partition('/')[2], row[-1]) for row in rows)
        )

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The Indiana University chest films of Open-i."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.published_layout import listed_path, missing_record, named_films
from muscle_mm.datasets.scanning import read_table
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS

#: CXR1_1_IM-0001-3001.png, and on Kaggle 1_IM-0001-3001.dcm.png.
_NAME = re.compile(r'(?:CXR)?(\d+)(?:_\d+)?_IM-.+\.png')
_FOLDERS = ('NLMCXR_png', 'images/images_normalized', 'images_normalized')
_REPORTS = ('NLMCXR_reports/ecgen-radiology', 'ecgen-radiology')
_IMAGE_OF_REPORT = re.compile(rb'<parentImage\s+id="([^"]+)"')
_KAGGLE_TABLE = 'indiana_projections.csv'


@DATASETS.register_module()
class IndianaCXR(XrayDataset):
    """Indiana-CXR (Open-i): 7,470 frontal and lateral chest films, used without labels (step 1).

    * Body part: chest. Task: none. In MUSCLE: 7,470 images; published with 3,955 reports.
    * Licence: CC BY-NC-ND 4.0.
    * Citation: Demner-Fushman et al., "Preparing a collection of radiology examinations for
      distribution and retrieval", JAMIA 2016, doi 10.1093/jamia/ocv080.
    * Where: https://openi.nlm.nih.gov/faq, ``NLMCXR_png.tgz`` and ``NLMCXR_reports.tgz``; or the
      copy on Kaggle (raddar/chest-xrays-indiana-university).
    * Overlaps: none known with the other eight sets.
    * Patients: the number of the report, ``CXR1`` in the file name.
    """

    METAINFO: dict = {
        'dataset': 'IndianaCXR',
        'task': 'none',
        'body_part': 'chest',
        'published_images': 7470,
        'paper_split': (7470, 0, 0),
        'licence': 'CC BY-NC-ND 4.0',
        'citation': 'Demner-Fushman et al., JAMIA 2016, doi 10.1093/jamia/ocv080',
        'overlaps': (),
        'url': 'https://openi.nlm.nih.gov/faq',
    }
    EXPECTED_PATHS = ('NLMCXR_png/*.png', 'images/images_normalized/*.png')

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Yield the images of ``NLMCXR_png/``; see ``XrayDataset.scan``."""
        folder = next((source / name for name in _FOLDERS if (source / name).is_dir()), None)
        if folder is None and any(source.glob('CXR*.png')):
            # The archive has no folder of its own and may have been unpacked in place.
            folder = source
        if folder is None:
            return
        found = set()
        for record in named_films(folder, source, _NAME, 'CXR1_1_IM-0001-3001.png'):
            found.add(Path(record['img_path']).name)
            if 'patient_id' in record:
                record['patient_id'] = f'CXR{record["patient_id"]}'
            yield record
        for name, where in cls._listed(source):
            if name not in found:
                yield missing_record(listed_path(folder, source, name), where)

    @staticmethod
    def _listed(source: Path) -> Iterator[tuple[str, str]]:
        """Yield the images that reports or Kaggle's table name, and where."""
        for folder in _REPORTS:
            for report in sorted((source / folder).glob('*.xml')):
                # Not parsed: one element is wanted, and a search can neither fail nor be misled.
                for name in _IMAGE_OF_REPORT.findall(report.read_bytes()):
                    yield f'{name.decode("utf-8", "replace")}.png', f'{folder}/{report.name}'
        if (source / _KAGGLE_TABLE).is_file():
            for row in read_table(source / _KAGGLE_TABLE, ('filename',)):
                yield row['filename'], _KAGGLE_TABLE

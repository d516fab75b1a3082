# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The Shenzhen tuberculosis set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.screening_films import scan_screening
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS

_ROOTS = (
    'ChinaSet_AllFiles',
    'ChinaSet_AllFiles/ChinaSet_AllFiles',  # Kaggle: pulmonary-chest-xray-abnormalities
    'Shenzhen-Hospital-CXR-Set',  # the files one by one from the publisher's index
)


@DATASETS.register_module()
class ChinaSetCXR(XrayDataset):
    """China-Set-CXR: 662 frontal chest films from Shenzhen, used without labels (step 1).

    * Body part: chest. Task: none. In MUSCLE: 661 images; published: 662 (326 normal, 336
      tuberculosis).
    * Licence: public; name the National Library of Medicine and Shenzhen No. 3 Hospital, and cite
      the papers.
    * Citation: Jaeger et al., "Two public chest X-ray datasets for computer-aided screening of
      pulmonary diseases", Quant Imaging Med Surg 2014, doi 10.3978/j.issn.2223-4292.2014.11.20.
    * Where: https://data.lhncbc.nlm.nih.gov/public/Tuberculosis-Chest-X-ray-Datasets
    * Overlaps: ``ChestXrayMasks`` holds the same films with lung masks; the archive of ``TBX``
      bundles them in a folder of its own, which is not read.
    * Patients: one film each, ``CHNCXR_0001`` in the file name.
    """

    METAINFO: dict = {
        'dataset': 'ChinaSetCXR',
        'task': 'none',
        'body_part': 'chest',
        'published_images': 662,
        'paper_split': (661, 0, 0),
        'licence': 'public, naming the source',
        'citation': (
            'Jaeger et al., Two public chest X-ray datasets, Quant Imaging Med Surg 2014, '
            'doi 10.3978/j.issn.2223-4292.2014.11.20'
        ),
        'overlaps': ('ChestXrayMasks', 'TBX'),
        'url': 'https://data.lhncbc.nlm.nih.gov/public/Tuberculosis-Chest-X-ray-Datasets',
    }
    EXPECTED_PATHS = ('ChinaSet_AllFiles/CXR_png/*.png',)

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Yield the images of ``ChinaSet_AllFiles/CXR_png/``; see ``XrayDataset.scan``."""
        return scan_screening(source, _ROOTS, 'CHNCXR')

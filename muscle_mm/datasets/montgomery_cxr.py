# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The Montgomery County tuberculosis set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.screening_films import scan_screening
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS

_ROOTS = (
    'MontgomerySet',
    'NLM-MontgomeryCXRSet/MontgomerySet',
    'Montgomery/MontgomerySet',  # Kaggle: pulmonary-chest-xray-abnormalities
    # the files one by one from the publisher's index
    'Montgomery-County-CXR-Set/MontgomerySet',
)


@DATASETS.register_module()
class MontgomeryCXR(XrayDataset):
    """Montgomery-Set-CXR: 138 frontal chest films, used without labels (step 1).

    * Body part: chest. Task: none. In MUSCLE: 138 images (80 normal, 58 tuberculosis).
    * Licence: public; name the National Library of Medicine and Montgomery County, and cite the
      papers.
    * Citation: Jaeger et al., "Two public chest X-ray datasets for computer-aided screening of
      pulmonary diseases", Quant Imaging Med Surg 2014, doi 10.3978/j.issn.2223-4292.2014.11.20.
    * Where: https://data.lhncbc.nlm.nih.gov/public/Tuberculosis-Chest-X-ray-Datasets
    * Overlaps: ``ChestXrayMasks`` holds the same films with lung masks; the archive of ``TBX``
      bundles them in a folder of its own, which is not read.
    * Patients: one film each, ``MCUCXR_0001`` in the file name.
    """

    METAINFO: dict = {
        'dataset': 'MontgomeryCXR',
        'task': 'none',
        'body_part': 'chest',
        'published_images': 138,
        'paper_split': (138, 0, 0),
        'licence': 'public, naming the source',
        'citation': (
            'Jaeger et al., Two public chest X-ray datasets, Quant Imaging Med Surg 2014, '
            'doi 10.3978/j.issn.2223-4292.2014.11.20'
        ),
        'overlaps': ('ChestXrayMasks', 'TBX'),
        'url': 'https://data.lhncbc.nlm.nih.gov/public/Tuberculosis-Chest-X-ray-Datasets',
    }
    EXPECTED_PATHS = ('MontgomerySet/CXR_png/*.png',)

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Yield the images of ``MontgomerySet/CXR_png/``; see ``XrayDataset.scan``."""
        return scan_screening(source, _ROOTS, 'MCUCXR')

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The Shenzhen tuberculosis set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.scanning import scan_one_folder
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS


@DATASETS.register_module()
class ChinaSetCXR(XrayDataset):
    """China-Set-CXR: 662 frontal chest films from Shenzhen, used without labels (step 1).

    * Body part: chest. Task: none. In MUSCLE: 661 images; published: 662 (326 normal, 336
      tuberculosis).
    * Licence: public; name the National Library of Medicine and Shenzhen No. 3 Hospital.
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
        'paper_images': 661,
        'licence': 'public, naming the source',
        'url': 'https://data.lhncbc.nlm.nih.gov/public/Tuberculosis-Chest-X-ray-Datasets',
    }

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Yield the images of ``ChinaSet_AllFiles/CXR_png/``; see ``XrayDataset.scan``."""
        return scan_one_folder(cls.__name__, source, 'ChinaSet_AllFiles/CXR_png', name_parts=2)

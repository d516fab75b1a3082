# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The Indiana University chest films of Open-i."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.scanning import scan_one_folder
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS


@DATASETS.register_module()
class IndianaCXR(XrayDataset):
    """Indiana-CXR (Open-i): 7,470 frontal and lateral chest films, used without labels (step 1).

    * Body part: chest. Task: none. In MUSCLE: 7,470 images.
    * Licence: CC BY-NC-ND 4.0.
    * Citation: Demner-Fushman et al., "Preparing a collection of radiology examinations for
      distribution and retrieval", JAMIA 2016, doi 10.1093/jamia/ocv080.
    * Where: https://openi.nlm.nih.gov/faq, ``NLMCXR_png.tgz`` and ``NLMCXR_reports.tgz``.
    * Overlaps: none known with the other eight sets.
    * Patients: the number of the report, ``CXR1`` in the file name.
    """

    METAINFO: dict = {
        'dataset': 'IndianaCXR',
        'task': 'none',
        'body_part': 'chest',
        'published_images': 7470,
        'paper_images': 7470,
        'licence': 'CC BY-NC-ND 4.0',
        'url': 'https://openi.nlm.nih.gov/faq',
    }

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Yield the images of ``NLMCXR_png/``; see ``XrayDataset.scan``."""
        return scan_one_folder(cls.__name__, source, 'NLMCXR_png', name_parts=1)

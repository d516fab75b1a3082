# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Chest films with lung masks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.scanning import image_files, nothing_found, relative
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS


@DATASETS.register_module()
class ChestXrayMasks(XrayDataset):
    """Chest Xray Masks and Labels: the lungs on films from Shenzhen and Montgomery County.

    * Body part: chest. Task: segmentation, background and lung. In MUSCLE: 718 / 89 / 89 images.
    * Published: 800 films, 704 of them with a mask; those without are reported and not used.
    * Licence: see the page; the films are public, naming the National Library of Medicine.
    * Citation: Jaeger et al. 2014, doi 10.3978/j.issn.2223-4292.2014.11.20; Candemir et al. 2014,
      doi 10.1109/TMI.2013.2290491; masks of Shenzhen: Stirenko et al. 2018, arXiv 1803.01199.
    * Where: https://www.kaggle.com/datasets/nikhilpandey360/chest-xray-masks-and-labels
    * Overlaps: the films are those of ``ChinaSetCXR`` and ``MontgomeryCXR``, so a test film here is
      a training film of step 1 there, as in MUSCLE.
    * Patients: one film each, ``CHNCXR_0001`` or ``MCUCXR_0001`` in the file name.
    """

    METAINFO: dict = {
        'dataset': 'ChestXrayMasks',
        'task': 'segmentation',
        'classes': ('background', 'lung'),
        'palette': [[0, 0, 0], [0, 160, 255]],
        'body_part': 'chest',
        'published_images': 704,
        'paper_images': 896,
        'licence': 'see the page',
        'url': 'https://www.kaggle.com/datasets/nikhilpandey360/chest-xray-masks-and-labels',
    }

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Yield the images of ``Lung Segmentation/CXR_png/``; see ``XrayDataset.scan``."""
        root = source / 'Lung Segmentation'
        # Shenzhen's masks are named CHNCXR_0001_0_mask.png, Montgomery's like the film.
        masks = {
            path.stem.removesuffix('_mask'): relative(path, source)
            for path in image_files(root / 'masks', ('.png',))
        }
        found = False
        for path in image_files(root / 'CXR_png', ('.png',)):
            found = True
            hospital, _, number_and_finding = path.stem.partition('_')
            number, _, finding = number_and_finding.partition('_')
            record: dict[str, Any] = {
                'img_path': relative(path, source),
                'patient_id': f'{hospital}_{number}',
                'stratum': f'{hospital}_{finding}',
            }
            if path.stem in masks:
                record['masks'] = [masks[path.stem]]
            else:
                record['problem'] = 'no mask of this name in Lung Segmentation/masks/'
            yield record
        if not found:
            raise nothing_found(cls.__name__, source, 'Lung Segmentation/CXR_png/*.png')

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Chest films with lung masks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.lung_masks import LungMasks
from muscle_mm.datasets.published_layout import find_root
from muscle_mm.datasets.scanning import image_files, relative
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS

_NAME = re.compile(r'((CHNCXR|MCUCXR)_\d{4})_([01])\.png')
#: Kaggle's archive holds the set twice.
_KAGGLE = ('Lung Segmentation', 'data/Lung Segmentation')
_SHENZHEN = ('ChinaSet_AllFiles', 'ChinaSet_AllFiles/ChinaSet_AllFiles')
_MONTGOMERY = (
    'MontgomerySet',
    'NLM-MontgomeryCXRSet/MontgomerySet',
    'Montgomery/MontgomerySet',
    'Lung Segmentation/MontgomerySet',
)
#: Of the Shenzhen films alone, as published by their authors.
_SHENZHEN_MASKS = ('mask', 'mask/mask', 'shcxr-lung-mask/mask', 'shcxr-lung-mask/mask/mask')


@DATASETS.register_module()
class ChestXrayMasks(XrayDataset):
    """Chest Xray Masks and Labels: the lungs on films from Shenzhen and Montgomery County.

    * Body part: chest. Task: segmentation, background and lung. In MUSCLE: 718 / 89 / 89 images.
    * Published: 800 films, 704 of them with a mask (566 of Shenzhen, 138 of Montgomery County), and
      96 films in ``test`` without; those without are reported and not used.
    * Licence: see the page; the films are public, naming the National Library of Medicine.
    * Citation: Jaeger et al. 2014, doi 10.3978/j.issn.2223-4292.2014.11.20; Candemir et al. 2014,
      doi 10.1109/TMI.2013.2290491; masks of Shenzhen: Stirenko et al. 2018, arXiv 1803.01199.
    * Where: https://www.kaggle.com/datasets/nikhilpandey360/chest-xray-masks-and-labels, or the
      films of ``ChinaSetCXR`` and ``MontgomeryCXR`` with the masks of their own publishers.
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
        'paper_split': (718, 89, 89),
        'licence': 'see the page',
        'citation': (
            'Jaeger et al. 2014, doi 10.3978/j.issn.2223-4292.2014.11.20; Candemir et al. 2014, '
            'doi 10.1109/TMI.2013.2290491; Stirenko et al. 2018, arXiv 1803.01199'
        ),
        'overlaps': ('ChinaSetCXR', 'MontgomeryCXR', 'TBX'),
        'url': 'https://www.kaggle.com/datasets/nikhilpandey360/chest-xray-masks-and-labels',
    }
    EXPECTED_PATHS = (
        'Lung Segmentation/CXR_png/*.png',
        'MontgomerySet/CXR_png/*.png',
        'ChinaSet_AllFiles/CXR_png/*.png',
    )

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Yield the images of ``Lung Segmentation/CXR_png/``; see ``XrayDataset.scan``.

        Without that folder, those of ``MontgomerySet/CXR_png/`` and
        ``ChinaSet_AllFiles/CXR_png/``.
        """
        kaggle = find_root(source, _KAGGLE, ('CXR_png',))
        montgomery = find_root(source, _MONTGOMERY, ('ManualMask', 'CXR_png'))
        shenzhen = find_root(source, _SHENZHEN, ('CXR_png',))
        if kaggle is not None:
            roots, mask_folders = [kaggle], [kaggle / 'masks']
        else:
            roots = [root for root in (shenzhen, montgomery) if root is not None]
            parents = [source] if shenzhen is None else [source, shenzhen]
            mask_folders = [parent / name for parent in parents for name in _SHENZHEN_MASKS]
        masks = LungMasks(
            source, mask_folders, None if montgomery is None else montgomery / 'ManualMask'
        )
        found = set()
        for root in roots:
            for path in image_files(root / 'CXR_png'):
                found.add(path.stem)
                yield cls._read_film(path, source, masks)
        for path in image_files(kaggle / 'test') if kaggle is not None else ():
            yield {
                'img_path': relative(path, source),
                'problem': 'the films of test/ have no masks',
            }
        yield from masks.without_film(found)

    @staticmethod
    def _read_film(path: Path, source: Path, masks: LungMasks) -> dict[str, Any]:
        """Read CHNCXR_0001_0.png and find its masks."""
        record: dict[str, Any] = {'img_path': relative(path, source)}
        match = _NAME.fullmatch(path.name)
        if match is None:
            return record | {
                'problem': 'the file name is not of the published form, such as CHNCXR_0001_0.png'
            }
        record |= {'patient_id': match[1], 'stratum': f'{match[2]}_{match[3]}'}
        return record | masks.find(path.stem)

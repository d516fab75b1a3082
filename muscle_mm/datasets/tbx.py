# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Tuberculosis with boxes: TBX11K."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.coco_boxes import read_coco
from muscle_mm.datasets.published_layout import find_root, listed_path
from muscle_mm.datasets.scanning import read_names
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS

_ROOTS = ('TBX11K', 'TBX11K/TBX11K', '')
_ANNOTATIONS = 'annotations/json'
#: Files of annotations and the split of their images. all_*.json list the same boxes and, without
#: any, the films of other sets.
_PARTS = (('TBX11K_train', 'train'), ('TBX11K_val', 'test'))
_LABELS = {'ActiveTuberculosis': 0, 'ObsoletePulmonaryTuberculosis': 1}


@DATASETS.register_module()
class TBX(XrayDataset):
    """TBX (TBX11K): boxes of active and latent tuberculosis on chest films.

    * Body part: chest. Task: detection, active and latent. In MUSCLE: 640 / 80 / 80 images.
    * Published: 11,200 films; the 800 with tuberculosis of the training and validation sets are
      used. As far as others have counted, 799 of them have boxes: 972 active, 239 latent. A film
      without a box is reported. So is a film with a box of PulmonaryTuberculosis (uncertain kind):
      it is neither, and to leave the box out would teach that there is nothing.
    * Licence: see the page; sources differ.
    * Citation: Liu et al., "Rethinking computer-aided tuberculosis diagnosis", CVPR 2020,
      doi 10.1109/CVPR42600.2020.00272.
    * Where: https://mmcheng.net/tb, or the copy on Kaggle (usmanshams/tbx-11).
    * Overlaps: the archive bundles ``MontgomeryCXR`` and ``ChinaSetCXR`` under ``imgs/extra``; no
      image of that folder has boxes, so none is used here.
    * Patients: not published; each film counts as one patient. With ``--official-split`` the
      published validation set is the test set, and validation is taken from the training set.
    """

    METAINFO: dict = {
        'dataset': 'TBX',
        'task': 'detection',
        'classes': ('active', 'latent'),
        'palette': [[230, 60, 60], [60, 120, 230]],
        'body_part': 'chest',
        'published_images': 800,
        'published_classes': {'active': 972, 'latent': 239},
        'paper_split': (640, 80, 80),
        'licence': 'see the page',
        'citation': 'Liu et al., CVPR 2020, doi 10.1109/CVPR42600.2020.00272',
        'overlaps': ('ChinaSetCXR', 'MontgomeryCXR', 'ChestXrayMasks'),
        'url': 'https://mmcheng.net/tb',
    }
    EXPECTED_PATHS = ('TBX11K/annotations/json/TBX11K_{train,val}.json', 'TBX11K/imgs/tb/*.png')

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Yield the images with boxes of ``TBX11K/imgs/``; see ``XrayDataset.scan``."""
        root = find_root(source, _ROOTS, (_ANNOTATIONS,))
        if root is None:
            return
        for part, split in _PARTS:
            path = root / _ANNOTATIONS / f'{part}.json'
            if not path.is_file():
                continue
            categories, boxes, sizes, problems = read_coco(path)
            for name in cls._listed(root / 'lists' / f'{part}.txt'):
                if name.startswith('tb/') and name not in boxes:
                    problems[name] = f'listed in lists/{part}.txt, but not in {part}.json'
            for name, problem in problems.items():
                folder = path.parent if name == path.name else root / 'imgs'
                yield {'img_path': listed_path(folder, source, name), 'problem': problem}
            for name in sorted(set(boxes) - set(problems)):
                if boxes[name] or name.startswith('tb/'):
                    yield {
                        'img_path': listed_path(root / 'imgs', source, name),
                        'patient_id': Path(name).stem,
                        'split': split,
                        **({'annotated_size': sizes[name]} if name in sizes else {}),
                        **cls._read_boxes(boxes[name], categories),
                    }

    @staticmethod
    def _read_boxes(boxes: list[dict[str, Any]], categories: dict[int, str]) -> dict[str, Any]:
        """Give the boxes of a film, or the reason against it."""
        others = Counter(
            categories[box['category_id']]
            for box in boxes
            if categories[box['category_id']] not in _LABELS
        )
        if others:
            named = ', '.join(f'{count} of {name}' for name, count in sorted(others.items()))
            return {'problem': f'has boxes that are neither active nor latent: {named}'}
        if not boxes:
            return {'problem': 'a film with tuberculosis, but without a box'}
        return {
            'instances': [
                {
                    'bbox': box['bbox'],
                    'bbox_label': _LABELS[categories[box['category_id']]],
                    'ignore_flag': box['iscrowd'],
                }
                for box in boxes
            ]
        }

    @staticmethod
    def _listed(path: Path) -> list[str]:
        """Read the names of a list, such as tb/tb0003.png."""
        return sorted(read_names(path)) if path.is_file() else []

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Tuberculosis with boxes: TBX11K."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.coco_boxes import read_coco
from muscle_mm.datasets.scanning import nothing_found
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS

#: Published category to our label. Boxes of the third one, PulmonaryTuberculosis (uncertain kind),
#: are neither, and are left out.
_LABELS = {'ActiveTuberculosis': 0, 'ObsoletePulmonaryTuberculosis': 1}


@DATASETS.register_module()
class TBX(XrayDataset):
    """TBX (TBX11K): boxes of active and latent tuberculosis on chest films.

    * Body part: chest. Task: detection, active and latent. In MUSCLE: 640 / 80 / 80 images.
    * Published: 11,200 films; the 800 of the training and validation sets with boxes are used.
    * Licence: research use, see the page.
    * Citation: Liu et al., "Rethinking computer-aided tuberculosis diagnosis", CVPR 2020.
    * Where: https://mmcheng.net/tb
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
        'paper_images': 800,
        'licence': 'research use',
        'url': 'https://mmcheng.net/tb',
    }

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Yield the images with boxes of ``TBX11K/imgs/``; see ``XrayDataset.scan``."""
        annotations = source / 'TBX11K' / 'annotations' / 'json'
        parts = [
            (annotations / f'TBX11K_{name}.json', split)
            for name, split in (('train', 'train'), ('val', 'test'))
        ]
        parts = [(path, split) for path, split in parts if path.is_file()]
        if not parts:
            raise nothing_found(
                cls.__name__, source, 'TBX11K/annotations/json/TBX11K_{train,val}.json'
            )
        for path, split in parts:
            categories, boxes = read_coco(path)
            for name in sorted(boxes):
                instances = [
                    {
                        'bbox': box['bbox'],
                        'bbox_label': _LABELS[categories[box['category_id']]],
                        'ignore_flag': box['iscrowd'],
                    }
                    for box in boxes[name]
                    if categories[box['category_id']] in _LABELS
                ]
                if instances:
                    yield {
                        'img_path': f'TBX11K/imgs/{name}',
                        'patient_id': Path(name).stem,
                        'split': split,
                        'instances': instances,
                    }

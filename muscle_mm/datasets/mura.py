# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Stanford's musculoskeletal films."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.scanning import image_files, nothing_found, relative
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS


@DATASETS.register_module()
class MURA(XrayDataset):
    """MURA: 40,005 films of elbow, finger, forearm, hand, humerus, shoulder and wrist.

    * Body part: bones of the arm. Task: classification, negative or positive (abnormal). In MUSCLE:
      32,013 / 3,997 / 3,997 images.
    * Published: 36,808 images in ``train`` and 3,197 in ``valid``; the test set is not public.
    * Licence: Stanford research use agreement, not commercial.
    * Citation: Rajpurkar et al., "MURA", MIDL 2018, arXiv 1712.06957.
    * Where: https://stanfordmlgroup.github.io/competitions/mura
    * Overlaps: none known with the other eight sets.
    * Patients: ``patient00001`` in the path, across body parts. The label is the study's, in the
      name of its folder. With ``--official-split`` the published ``valid`` is the test set, and
      validation is taken from ``train`` by patient.
    """

    METAINFO: dict = {
        'dataset': 'MURA',
        'task': 'classification',
        'classes': ('negative', 'positive'),
        'body_part': 'elbow, finger, forearm, hand, humerus, shoulder, wrist',
        'published_images': 40005,
        'paper_images': 40007,
        'licence': 'Stanford research use agreement',
        'url': 'https://stanfordmlgroup.github.io/competitions/mura',
    }

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Yield the images of ``MURA-v1.1/{train,valid}/``; see ``XrayDataset.scan``."""
        root = source / 'MURA-v1.1'
        found = set()
        for folder, split in (('train', 'train'), ('valid', 'test')):
            for path in image_files(root / folder, ('.png',)):
                name = relative(path, source)
                found.add(name)
                yield {'img_path': name, 'split': split} | cls._read_path(name)
        if not found:
            raise nothing_found(
                cls.__name__,
                source,
                'MURA-v1.1/train/XR_*/patient*/study*_{negative,positive}/*.png',
            )
        for table in (root / 'train_image_paths.csv', root / 'valid_image_paths.csv'):
            if table.is_file():
                for name in table.read_text(encoding='utf-8').split():
                    if name not in found:
                        yield {
                            'img_path': name,
                            'problem': f'listed in {table.name}, but the file is missing',
                        }

    @classmethod
    def _read_path(cls, name: str) -> dict[str, Any]:
        """Read MURA-v1.1/train/XR_ELBOW/patient00001/study1_positive/image1.png."""
        parts = name.split('/')
        study_class = parts[-2].rpartition('_')[2]
        if (
            len(parts) != 6
            or not parts[3].startswith('patient')
            or study_class not in cls.METAINFO['classes']
        ):
            return {
                'problem': 'unexpected place: expected '
                'XR_*/patient*/study*_{negative,positive}/*.png'
            }
        return {
            'patient_id': parts[3],
            'gt_label': cls.METAINFO['classes'].index(study_class),
        }

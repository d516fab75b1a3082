# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What a preparation found."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muscle_mm.datasets.manifest import SPLITS


@dataclass(frozen=True)
class PreparationSummary:
    """Counts of a prepared set; ``str()`` is the report for the user.

    Attributes:
        name (str): The data set.
        manifest (Path): The manifest written.
        task (str): 'classification', 'segmentation', 'detection' or 'none'.
        classes (tuple[str, ...]): The classes, in the order of the labels.
        records (list[dict]): The records of the manifest.
        rejected (int): Files that were not used.
        rejected_file (Path): Where they are listed with the reasons.
        published_images (int, optional): Images that the full set has as published.
        paper_images (int, optional): Images that MUSCLE's table gives for it.
    """

    name: str
    manifest: Path
    task: str
    classes: tuple[str, ...]
    records: list[dict[str, Any]]
    rejected: int
    rejected_file: Path
    published_images: int | None = None
    paper_images: int | None = None

    @property
    def images(self) -> int:
        """Number of images that can be used."""
        return len(self.records)

    @property
    def split_counts(self) -> dict[str, int]:
        """Images of each split."""
        counts = Counter(record['split'] for record in self.records)
        return {split: counts[split] for split in SPLITS}

    @property
    def class_counts(self) -> dict[str, dict[str, int]]:
        """Images, or for detection boxes, of each class in each split."""
        counts: dict[str, dict[str, int]] = {
            split: dict.fromkeys(self.classes, 0) for split in SPLITS
        }
        for record in self.records:
            labels = [instance['bbox_label'] for instance in record.get('instances', ())]
            if 'gt_label' in record:
                labels = [record['gt_label']]
            for label in labels:
                counts[record['split']][self.classes[label]] += 1
        return counts

    @property
    def byte_equal_copies(self) -> int:
        """Files that are a copy of another, byte for byte."""
        return self.images - len({record['sha256'] for record in self.records})

    @property
    def patients_in_several_splits(self) -> int:
        """Patients who appear in more than one split, as some published folders have it."""
        splits = defaultdict(set)
        for record in self.records:
            splits[record['patient_id']].add(record['split'])
        return sum(len(found) > 1 for found in splits.values())

    def __str__(self) -> str:
        lines = [f'{self.name}: {self.images} images, {self.manifest}']
        if self.published_images is not None:
            lines.append(
                f'  the full set has {self.published_images} (MUSCLE used {self.paper_images})'
            )
        unit = ' boxes' if self.task == 'detection' else ''
        for split, images in self.split_counts.items():
            line = f'  {split:5} {images:7} images'
            if self.task in ('classification', 'detection'):
                per_class = self.class_counts[split].items()
                line += '  ' + ', '.join(f'{name} {count}{unit}' for name, count in per_class)
            lines.append(line)
        if self.byte_equal_copies:
            lines.append(f'  {self.byte_equal_copies} files are byte-equal copies of another')
        if self.patients_in_several_splits:
            lines.append(
                f'  WARNING: {self.patients_in_several_splits} patients are in more than one '
                'split of the source; leave out --official-split for a split by patient'
            )
        if self.rejected:
            lines.append(
                f'  {self.rejected} files not used, with the reasons: {self.rejected_file}'
            )
        return '\n'.join(lines)

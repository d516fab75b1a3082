# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What a preparation found."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from muscle_mm.datasets.exclusions import EXCLUSIONS_NAME
from muscle_mm.datasets.manifest import SPLITS

#: Of the endings of other files.
_KINDS_SHOWN = 6


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
        expected (Mapping): What the full set has: ``published_images`` and, where known,
            ``published_classes`` (class to number) and ``paper_split`` (train, val and test images
            in MUSCLE). Empty for a user's own images.
        other_files (Mapping[str, int]): Ending, '' for none, to the number of files beside a user's
            own images of which nothing was made, the most frequent first. Defaults to none.
    """

    name: str
    manifest: Path
    task: str
    classes: tuple[str, ...]
    records: list[dict[str, Any]]
    rejected: int
    rejected_file: Path
    expected: Mapping[str, Any] = field(default_factory=dict)
    other_files: Mapping[str, int] = field(default_factory=dict)

    @property
    def images(self) -> int:
        """Number of images that can be used."""
        return len(self.records)

    @property
    def patients(self) -> int:
        """Number of patients."""
        return len({record['patient_id'] for record in self.records})

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
        lines = [
            f'{self.name}: {self.images:,} images of {self.patients:,} patients, {self.manifest}'
        ]
        lines += self._against_expected()
        paper = self.expected.get('paper_split')
        unit = ' boxes' if self.task == 'detection' else ''
        for place, (split, images) in enumerate(self.split_counts.items()):
            line = f'  {split:5} {images:9,} images'
            if paper:
                line += f' (MUSCLE {paper[place]:,}: {images - paper[place]:+,})'
            if self.task in ('classification', 'detection'):
                per_class = self.class_counts[split].items()
                line += '  ' + ', '.join(f'{name} {count:,}{unit}' for name, count in per_class)
            lines.append(line)
        if self.byte_equal_copies:
            lines.append(f'  {self.byte_equal_copies:,} files are byte-equal copies of another')
        if self.patients == 1 < self.images and self.task != 'none':
            lines.append(
                '  WARNING: all images are of one patient, so they are all in one split; see '
                '--patient-pattern'
            )
        if self.patients_in_several_splits:
            lines.append(
                f'  WARNING: {self.patients_in_several_splits:,} patients are in more than one '
                'split; --no-official-split divides by patient, a --split-file must be corrected'
            )
        if self.manifest.with_name(EXCLUSIONS_NAME).exists():
            lines.append(
                f'  {EXCLUSIONS_NAME} is of an earlier preparation: renew it with '
                'tools/check_data.py DATA_ROOT --fix'
            )
        if self.other_files:
            lines.append(f'  {_other_files(self.other_files)}')
        if self.rejected:
            lines.append(
                f'  {self.rejected:,} files not used, with the reasons: {self.rejected_file}'
            )
        return '\n'.join(lines)

    def _against_expected(self) -> list[str]:
        """Compare with the full set, in all and class by class."""
        unit = 'boxes' if self.task == 'detection' else 'images'
        lines = []
        if 'published_images' in self.expected:
            lines.append(_compare(self.images, self.expected['published_images'], 'published'))
        for name, expected in self.expected.get('published_classes', {}).items():
            found = sum(counts.get(name, 0) for counts in self.class_counts.values())
            lines.append(_compare(found, expected, f'published {unit} of {name}'))
        return lines


def _other_files(counts: Mapping[str, int]) -> str:
    """Count the files that were not read as films, by their endings."""
    kinds = [f'{ending or "without an ending"} {count:,}' for ending, count in counts.items()]
    if len(kinds) > _KINDS_SHOWN:
        kinds[_KINDS_SHOWN:] = [f'and {len(kinds) - _KINDS_SHOWN} more kinds']
    return f'{sum(counts.values()):,} other files, not read as films: {", ".join(kinds)}'


def _compare(found: int, expected: int, what: str) -> str:
    """Say whether a number is as expected."""
    if found == expected:
        return f'  as expected: found all {expected:,} {what}'
    gap = f'{expected - found:,} missing' if found < expected else f'{found - expected:,} too many'
    return f'  DIFFERENT: found {found:,} of {expected:,} {what}; {gap}'

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Any folder of radiographs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from muscle_mm.datasets.folder_layout import record_of, split_folders, strays
from muscle_mm.datasets.own_films import film_files
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS
from muscle_mm.utils.errors import UserError


@DATASETS.register_module()
class XrayFolder(XrayDataset):
    """Any folder of radiographs, with class folders or without labels.

    * ``DIR/**/*.{png,jpg,tif,dcm}``, and DICOM files without an ending: no labels, for step 1. All
      images train.
    * ``DIR/{train,val,test}/{negative,positive}/**``: labels from the folders, in alphabetical
      order (name the classes to choose the order: the second of two is the positive one). The
      folders are the split.
    * ``DIR/{negative,positive}/**`` with the classes named: labels, and a split by patient.
    * Any of these with ``--labels FILE``: labels from a table.

    Patients come from a regular expression on the file name or the path, from the DICOM header, or
    are the file name itself: with one folder a patient, the expression is needed.
    """

    OFFICIAL_SPLIT_BY_DEFAULT = True
    EXPECTED_PATHS: tuple[str, ...] = (
        '**/*.{png,jpg,jpeg,tif,tiff,dcm}',
        '**/* (DICOM files without an ending)',
    )

    @classmethod
    def class_names(
        cls, source: Path, classes: Sequence[str] | None = None
    ) -> tuple[str, ...] | None:
        """Name the classes.

        Args:
            source (Path): The folder of the set.
            classes (Sequence[str], optional): Folder names that are classes, in this order; empty
                for no labels. Defaults to None: the folders below train, val and test.

        Returns:
            tuple[str, ...] | None: The classes, or None for a set without labels.

        Raises:
            UserError: If the folders are not the same below train, val and test.
        """
        if classes is not None:
            return tuple(classes) or None
        found = {
            folder: {
                path.name
                for path in folder.iterdir()
                if path.is_dir() and not path.name.startswith('.')
            }
            for split, folder in split_folders(source)
            if split is not None
        }
        names: set[str] = set().union(*found.values())
        for folder, own in found.items():
            if own != names:
                raise UserError(
                    f'{folder} has no folder {min(names - own)!r}, which another split has: are '
                    'these classes? Name the classes (--classes), or give the labels in a table '
                    '(--labels).'
                )
        return tuple(sorted(names)) if len(names) > 1 else None

    @classmethod
    def files(cls, folder: Path) -> Iterator[Path]:
        """Yield the files that may be radiographs.

        Args:
            folder (Path): Where to start.

        Yields:
            Path: The next file.
        """
        return film_files(folder)

    @classmethod
    def scan(
        cls,
        source: Path,
        classes: Sequence[str] | None = None,
        patient_pattern: str | None = None,
        inverted: str | None = None,
        frame: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yield the images; see ``XrayDataset.scan``.

        Args:
            source (Path): The folder of the set.
            classes (Sequence[str], optional): See ``class_names``.
            patient_pattern (str, optional): See ``patient_of``. Defaults to None.
            inverted (str, optional): See ``record_of``. Defaults to None.
            frame (int, optional): See ``record_of``. Defaults to None.
        """
        names = cls.class_names(source, classes)
        folders = split_folders(source)
        for split, folder in folders:
            for path in cls.files(folder):
                record: dict[str, Any] = record_of(
                    path, source, split, patient_pattern, inverted, frame
                )
                if names is not None:
                    above = path.relative_to(folder).parts[:-1]
                    labels = {names.index(part) for part in above if part in names}
                    if len(labels) == 1:
                        record['gt_label'] = labels.pop()
                    else:
                        record['problem'] = f'not inside exactly one class folder of {list(names)}'
                yield record
        if folders[0][0] is not None:
            yield from strays(source, cls.files(source))

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Any folder of radiographs with masks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from muscle_mm.datasets.folder_layout import record_of, split_folders, strays
from muscle_mm.datasets.own_films import film_files, unread_kind, without_ending
from muscle_mm.datasets.scanning import relative
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS
from muscle_mm.utils.errors import UserError


@DATASETS.register_module()
class XrayMaskFolder(XrayDataset):
    """Any folder of radiographs with one mask each: background and one kind of object.

    ``DIR/{train,val,test}/{images,masks}/``, or ``DIR/{images,masks}/`` for a split by patient. A
    mask has the name of its image (the ending may differ) and is 0 outside, 1 or 255 inside.

    Patients come from a regular expression on the file name or the path, from the DICOM header, or
    are the file name itself: with one folder a patient, the expression is needed.
    """

    METAINFO: dict = {'task': 'segmentation', 'palette': [[0, 0, 0], [0, 160, 255]]}
    OFFICIAL_SPLIT_BY_DEFAULT = True
    EXPECTED_PATHS = ('{train,val,test}/images/', 'images/')

    @classmethod
    def class_names(cls, source: Path, classes: Sequence[str] | None = None) -> tuple[str, ...]:
        """Name the two classes.

        Args:
            source (Path): The folder of the set.
            classes (Sequence[str], optional): Defaults to ('background', 'foreground').

        Returns:
            tuple[str, ...]: The classes.

        Raises:
            UserError: If there are not two.
        """
        names = tuple(classes or ('background', 'foreground'))
        if len(names) != 2:
            raise UserError(
                f'{cls.__name__} reads masks of two classes, background first; got {list(names)}.'
            )
        return names

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
            inverted (str, optional): See ``record_of``; of the films, never of the masks. Defaults
                to None.
            frame (int, optional): As ``inverted``.
        """
        folders = split_folders(source)
        for split, folder in folders:
            masks = defaultdict(list)
            for path in film_files(folder / 'masks'):
                masks[without_ending(path.relative_to(folder / 'masks'))].append(path)
            images = list(film_files(folder / 'images'))
            names = [without_ending(path.relative_to(folder / 'images')) for path in images]
            copies = Counter(names)
            for path, name in zip(images, names, strict=True):
                record: dict[str, Any] = record_of(
                    path, source, split, patient_pattern, inverted, frame
                )
                problem = record.get('problem')
                if problem is None and not masks[name]:
                    problem = f'no mask of this name in {relative(folder, source)}/masks/'
                elif problem is None and (len(masks[name]) > 1 or copies[name] > 1):
                    problem = (
                        f'{copies[name]} images and {len(masks[name])} masks have this name, apart '
                        'from the ending; expected one of each'
                    )
                if problem is not None:
                    record['problem'] = problem
                else:
                    record['masks'] = [relative(masks[name][0], source)]
                yield record
            for name in masks.keys() - set(names):
                for path in masks[name]:
                    problem = unread_kind(path) or 'a mask without an image'
                    yield {'img_path': relative(path, source), 'problem': problem}
        if folders[0][0] is not None:
            yield from strays(source, film_files(source))

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Any folder of radiographs with boxes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_mm.datasets.coco_boxes import read_coco
from muscle_mm.datasets.folder_layout import record_of, split_folders, strays
from muscle_mm.datasets.own_films import film_files
from muscle_mm.datasets.scanning import nothing_found
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.registry import DATASETS
from muscle_mm.utils.errors import UserError


@DATASETS.register_module()
class XrayBoxFolder(XrayDataset):
    """Any folder of radiographs with COCO boxes.

    ``DIR/{train,val,test}/images/`` with ``DIR/{train,val,test}/annotations.json``, or
    ``DIR/images/`` with ``DIR/annotations.json`` for a split by patient. The classes are the
    categories in the order of their ids. An image that the COCO file does not name has no labels
    and is reported.

    Patients come from a regular expression on the file name or the path, from the DICOM header, or
    are the file name itself: with one folder a patient, the expression is needed.
    """

    METAINFO: dict = {'task': 'detection'}
    OFFICIAL_SPLIT_BY_DEFAULT = True
    EXPECTED_PATHS = (
        '{train,val,test}/{images/,annotations.json}',
        '{images/,annotations.json}',
    )

    @classmethod
    def class_names(cls, source: Path) -> tuple[str, ...]:
        """Name the classes: the categories, which must be the same in all splits.

        Args:
            source (Path): The folder of the set.

        Returns:
            tuple[str, ...]: The classes.

        Raises:
            UserError: If two annotation files disagree.
        """
        names: tuple[str, ...] = ()
        for _, folder in split_folders(source):
            path = folder / 'annotations.json'
            if not path.is_file():
                raise nothing_found(cls.__name__, source, *cls.EXPECTED_PATHS)
            found = tuple(read_coco(path).categories.values())
            if names and found != names:
                raise UserError(
                    f'{path}: the categories {list(found)} differ from {list(names)} in the other '
                    'annotation files.'
                )
            names = found
        return names

    @classmethod
    def scan(
        cls,
        source: Path,
        patient_pattern: str | None = None,
        inverted: str | None = None,
        frame: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yield the images; see ``XrayDataset.scan``.

        Args:
            source (Path): The folder of the set.
            patient_pattern (str, optional): See ``patient_of``. Defaults to None.
            inverted (str, optional): See ``record_of``. Defaults to None.
            frame (int, optional): See ``record_of``. Defaults to None.
        """
        names = cls.class_names(source)
        folders = split_folders(source)
        for split, folder in folders:
            categories, boxes, sizes, problems = read_coco(folder / 'annotations.json')
            for path in film_files(folder / 'images'):
                record: dict[str, Any] = record_of(
                    path, source, split, patient_pattern, inverted, frame
                )
                name = path.relative_to(folder / 'images').as_posix()
                if name in sizes:
                    record['annotated_size'] = sizes[name]
                noted = problems.pop(name, None)
                problem = record.get('problem', noted)
                if problem is not None:
                    record['problem'] = problem
                elif name in boxes:
                    record['instances'] = [
                        {
                            'bbox': box['bbox'],
                            'bbox_label': names.index(categories[box['category_id']]),
                            'ignore_flag': box['iscrowd'],
                        }
                        for box in boxes[name]
                    ]
                else:
                    record['problem'] = 'not named in annotations.json'
                boxes.pop(name, None)
                yield record
            for name in boxes:
                problems[name] = 'named in annotations.json, but the file is missing'
            below = '' if split is None else f'{split}/'
            for name, problem in problems.items():
                place = below if name == 'annotations.json' else f'{below}images/'
                yield {'img_path': f'{place}{name}', 'problem': problem}
        if folders[0][0] is not None:
            yield from strays(source, film_files(source))

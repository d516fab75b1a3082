# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""One image of a prepared set, as the check looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from muscle_mm.datasets.manifest import SPLITS


@dataclass(frozen=True, eq=False)
class Film:
    """One image of a prepared set.

    Attributes:
        manifest (str): Absolute path of the manifest.
        set_name (str): Name of the set.
        task (tuple): What a label means: the task and the classes. Labels of two films can be
            compared where it is equal.
        path (str): Absolute path of the image.
        mask (str, optional): Absolute path of its mask.
        record (dict): The record of the manifest.
    """

    manifest: str
    set_name: str
    task: tuple[Any, ...]
    path: str
    mask: str | None
    record: dict[str, Any]

    @property
    def img_path(self) -> str:
        """Path in the manifest."""
        return self.record['img_path']

    @property
    def split(self) -> str:
        """'train', 'val' or 'test'; 'train' where the manifest names none."""
        return self.record.get('split') or SPLITS[0]

    @property
    def held_out(self) -> int:
        """How far the film is kept from training: 0 train, 1 val, 2 test."""
        return SPLITS.index(self.split)

    @property
    def order(self) -> tuple[str, str, str]:
        """Key to sort by, the same in whatever order the sets were given."""
        return self.set_name, self.img_path, self.manifest

    def __str__(self) -> str:
        return f'[{self.split}] {self.set_name}: {self.img_path}'

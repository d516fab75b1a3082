# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Find the published lung masks of a chest film."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Any

from muscle_mm.datasets.scanning import image_files, relative

_SIDES = ('leftMask', 'rightMask')


class LungMasks:
    """The masks of films from Shenzhen and Montgomery County, in their published places.

    One mask holds both lungs (``CHNCXR_0001_0_mask.png``, or named like the film), or each lung has
    one (``leftMask/MCUCXR_0001_0.png`` and ``rightMask/MCUCXR_0001_0.png``).

    Args:
        source (Path): The folder given by the user.
        folders (Sequence[Path]): Folders of masks of both lungs.
        manual (Path, optional): Folder that holds ``leftMask`` and ``rightMask``. Defaults to None.
    """

    def __init__(self, source: Path, folders: Sequence[Path], manual: Path | None = None) -> None:
        self.source = source
        self.whole: dict[str, list[str]] = defaultdict(list)
        self.sides: dict[str, dict[str, str]] = defaultdict(dict)
        # A folder may lie in another of them: each file counts once.
        for path in sorted({path for folder in folders for path in image_files(folder)}):
            self.whole[path.stem.removesuffix('_mask')].append(relative(path, source))
        if manual is not None:
            for side in _SIDES:
                for path in image_files(manual / side):
                    self.sides[path.stem][side] = relative(path, source)

    def find(self, stem: str) -> dict[str, Any]:
        """Find the masks of a film.

        Args:
            stem (str): Its name without the ending.

        Returns:
            dict: ``masks``, one or two paths below the source, or ``problem``.
        """
        whole, sides = self.whole.get(stem, []), self.sides.get(stem, {})
        if len(whole) > 1:
            return {'problem': f'has {len(whole)} masks: {" and ".join(whole)}'}
        if whole:
            return {'masks': whole}
        if len(sides) == 1:
            (there,) = sides
            (absent,) = set(_SIDES) - {there}
            return {'problem': f'has a mask in {there}/, but none in {absent}/'}
        if sides:
            return {'masks': [sides[side] for side in _SIDES]}
        return {'problem': 'no mask of this name'}

    def without_film(self, stems: Container[str]) -> Iterator[dict[str, Any]]:
        """Yield a record with a problem for each mask whose film is not there.

        Args:
            stems (Container[str]): Names of the films, without the ending.

        Yields:
            dict: A raw record.
        """
        for stem, paths in {**self.whole, **self._side_paths()}.items():
            if stem not in stems:
                for path in paths:
                    yield {'img_path': path, 'problem': 'a mask without its film'}

    def _side_paths(self) -> dict[str, list[str]]:
        """List the masks of single lungs by film."""
        return {
            stem: self.whole.get(stem, []) + list(sides.values())
            for stem, sides in self.sides.items()
        }

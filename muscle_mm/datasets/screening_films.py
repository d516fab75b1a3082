# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What the two tuberculosis sets of the National Library of Medicine share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from muscle_mm.datasets.published_layout import find_root, listed_path, missing_record, named_films


def scan_screening(source: Path, roots: Sequence[str], prefix: str) -> Iterator[dict[str, Any]]:
    """Yield the films of ``CXR_png/``, and report readings in ``ClinicalReadings/`` without one.

    Args:
        source (Path): The folder given by the user.
        roots (Sequence[str]): Where ``CXR_png/`` may lie below it.
        prefix (str): Beginning of a film's name, as in ``CHNCXR_0001_0.png``.

    Yields:
        dict: The next raw record.
    """
    root = find_root(source, roots, ('CXR_png',))
    if root is None:
        return
    pattern = re.compile(rf'({prefix}_\d{{4}})_[01]\.png')
    stems = set()
    for record in named_films(root / 'CXR_png', source, pattern, f'{prefix}_0001_0.png'):
        stems.add(Path(record['img_path']).stem)
        yield record
    for reading in sorted((root / 'ClinicalReadings').glob(f'{prefix}_*.txt')):
        if reading.stem not in stems:
            film = listed_path(root / 'CXR_png', source, f'{reading.stem}.png')
            yield missing_record(film, 'ClinicalReadings/')

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Prepared sets of a few drawn films, written without a preparation."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from muscle_mm.datasets.checking import DataReport, check_data
from muscle_mm.datasets.manifest import write_manifest


def draw(seed: int, size: tuple[int, int] = (96, 80)) -> np.ndarray:
    """Draw a film, (height, width), that is like no other one."""
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12), dtype=np.uint8)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def drawn() -> Callable[..., np.ndarray]:
    """The drawing of a film: its number, and (height, width)."""
    return draw


@pytest.fixture
def write_set(tmp_path: Path) -> Callable[..., Path]:
    """Write a prepared set below ``data``: its name, its films, and its metainfo.

    A film is a mapping: ``pixels``, and ``mask`` where it has one; the rest goes into its record.
    """

    def write(name: str, films: dict[str, dict], **metainfo) -> Path:
        images, folder = tmp_path / 'images' / name, tmp_path / 'data' / name
        folder.mkdir(parents=True)
        records = []
        for img_path, film in films.items():
            record = {'split': 'train', 'patient_id': img_path, **film, 'img_path': img_path}
            path = images / img_path
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = record.pop('pixels')
            Image.fromarray(pixels).save(path)
            if 'mask' in record:
                mask = record.pop('mask')
                record['seg_map_path'] = f'masks/{img_path}.png'
                (folder / 'masks').mkdir(exist_ok=True)
                if mask is not None:
                    Image.fromarray(mask).save(folder / record['seg_map_path'])
            record['height'], record['width'] = pixels.shape
            record['sha256'] = hashlib.sha256(path.read_bytes()).hexdigest()
            records.append(record)
        metainfo = {'dataset': name, 'task': 'none', **metainfo}
        metainfo['source_root'] = f'../../images/{name}'
        write_manifest(folder / 'manifest.json', metainfo, records)
        return folder

    return write


@pytest.fixture
def check() -> Callable[..., DataReport]:
    """The check of some folders."""

    def run(*roots: Path, **options) -> DataReport:
        return check_data(roots, workers=1, progress=False, **options)

    return run


@pytest.fixture
def found() -> Callable[[DataReport], list[tuple]]:
    """What a report names: kind, names of the films, of those to leave out, and how bad it is."""

    def names(films) -> list[str]:
        return [Path(film.path).name for film in films]

    def tell(report: DataReport) -> list[tuple]:
        return [
            (finding.kind, names(finding.films), names(finding.leave_out), finding.serious)
            for finding in report.findings
        ]

    return tell

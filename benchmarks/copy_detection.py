# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Measures how well ``tools/check_data.py`` finds near copies among real films.

Alters films the way copies are altered on their way from one collection into another, and counts
how many are found again; then compares every film with every other one. Films smaller than
``SMALLEST`` are compared and not altered: made smaller still, they show too little.
"""

import argparse
import io
import random
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from muscle_mm.datasets.checking.fingerprint import fingerprint
from muscle_mm.datasets.checking.near_copies import find_near_copies
from muscle_mm.datasets.io import read_xray
from muscle_mm.datasets.scanning import image_files

Alteration = Callable[[np.ndarray], np.ndarray]

SMALLEST = 200
"""Shorter side of the films to alter, in pixels."""


def resize(film: np.ndarray, across: float, down: float) -> np.ndarray:
    """Resize by two factors."""
    height, width = film.shape
    size = (max(round(width * across), 8), max(round(height * down), 8))
    method = cv2.INTER_AREA if across < 1 else cv2.INTER_CUBIC
    return cv2.resize(film, size, interpolation=method)


def jpeg(film: np.ndarray, quality: int) -> np.ndarray:
    """Encode as JPEG and decode."""
    file = io.BytesIO()
    Image.fromarray(film).save(file, format='JPEG', quality=quality)
    return np.asarray(Image.open(file))


def crop(film: np.ndarray, most: float) -> np.ndarray:
    """Cut up to a share of the side off each of the four borders."""
    height, width = film.shape
    top, bottom = (round(height * random.uniform(0, most)) for _ in range(2))
    left, right = (round(width * random.uniform(0, most)) for _ in range(2))
    return np.ascontiguousarray(film[top : height - bottom, left : width - right])


def grey(film: np.ndarray, gain: float, gamma: float, offset: float = 0) -> np.ndarray:
    """Change brightness and contrast, with clipping."""
    changed = np.clip(film / 255 * gain + offset, 0, 1) ** gamma
    return np.rint(changed * 255).astype(np.uint8)


ALTERATIONS: dict[str, Alteration] = {
    'JPEG, quality 30': lambda film: jpeg(film, 30),
    'half the size': lambda film: resize(film, 0.5, 0.5),
    'a quarter of the size': lambda film: resize(film, 0.25, 0.25),
    '1.7 times the size': lambda film: resize(film, 1.7, 1.7),
    'another aspect ratio': lambda film: resize(film, 1, 0.8),
    'half the size and JPEG, quality 70': lambda film: jpeg(resize(film, 0.5, 0.5), 70),
    'brighter by 8%': lambda film: grey(film, 1, 1, 0.08),
    'contrast times 1.2': lambda film: grey(film, 1.2, 1),
    'contrast times 0.7': lambda film: grey(film, 0.7, 1),
    'gamma 0.7': lambda film: grey(film, 1, 0.7),
    'gamma 1.5': lambda film: grey(film, 1, 1.5),
    'CLAHE': lambda film: cv2.createCLAHE(2.0, (8, 8)).apply(film),
    'histogram equalised': cv2.equalizeHist,
    'up to 1% of each border cropped': lambda film: crop(film, 0.01),
    'up to 2% of each border cropped': lambda film: crop(film, 0.02),
    'up to 3% of each border cropped': lambda film: crop(film, 0.03),
    'up to 5% of each border cropped': lambda film: crop(film, 0.05),
    'size, crop 2%, gamma, JPEG together': lambda film: jpeg(
        grey(crop(resize(film, 0.6, 0.6), 0.02), 1.1, 0.85), 75
    ),
    'mirrored, JPEG, quality 70': lambda film: jpeg(np.ascontiguousarray(film[:, ::-1]), 70),
}


def fingerprints_of(films: list[np.ndarray]) -> np.ndarray:
    """Take the fingerprints of films."""
    return np.stack([fingerprint(film, '0' * 64) for film in films])


def main() -> None:
    """Measure and print two tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folders', nargs='+', type=Path, help='films without masks among them')
    parser.add_argument('--films', type=int, default=400, help='to alter (default: 400)')
    parser.add_argument('--seed', type=int, default=0, help='default: 0')
    args = parser.parse_args()
    random.seed(args.seed)
    paths = [path for folder in args.folders for path in image_files(folder)]
    films = [read_xray(path) for path in paths]
    prints = fingerprints_of(films)
    _, first = np.unique(prints['pixels'], axis=0, return_index=True)
    paths, films, prints = [paths[i] for i in first], [films[i] for i in first], prints[first]
    large = [i for i, film in enumerate(films) if min(film.shape) >= SMALLEST]
    chosen = random.sample(large, min(args.films, len(large)))

    print('| copy | found |\n|---|---|')
    for name, alter in ALTERATIONS.items():
        copies = fingerprints_of([alter(films[i]) for i in chosen])
        pairs = find_near_copies(np.concatenate([prints[chosen], copies]))
        found = sum(pair.second - pair.first == len(chosen) for pair in pairs)
        print(f'| {name} | {100 * found / len(chosen):.1f}% of {len(chosen)} |', flush=True)

    start = time.process_time()
    pairs = find_near_copies(prints)
    seconds = time.process_time() - start
    print(f'\n{len(paths)} different films, {len(paths) * (len(paths) - 1) // 2} pairs, mirrored')
    print(f'and not: {len(pairs)} taken for copies, {seconds:.1f} s of processor time.')
    for pair in pairs:
        kind = 'mirrored' if pair.mirrored else 'plain'
        print(f'  {pair.similarity:.3f} {kind} {paths[pair.first]} {paths[pair.second]}')


if __name__ == '__main__':
    main()

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Find films that are copies of others, encoded, resized, cropped or brightened anew.

Two steps. Perceptual hashes that differ in few bits make a candidate. Its two thumbnails are then
laid over each other and compared: follow-up films of a patient have the same outlines, but not the
same details.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import combinations_with_replacement
from typing import NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from muscle_mm.datasets.checking.fingerprint import HASH_SIDE, THUMBNAIL_SIDE

#: Bits of a perceptual hash.
HASH_BITS = HASH_SIDE**2
#: Our choice, measured on 2,103 real films (chest, knee) and 7,600 altered copies of 400 of them:
#: see ``benchmarks/copy_detection.py``.
DEFAULT_THRESHOLD = 64
#: Correlation of two aligned thumbnails above which they show the same film; measured likewise.
SAME_FILM = 0.94

#: Hashes compared with as many others at a time.
_TILE = 4096
#: Standard deviation, in pixels of a thumbnail, that parts details from outlines.
_DETAIL = THUMBNAIL_SIDE / 16
#: Grey values of contrast below which there is nothing to compare but noise.
_NOISE = 2.0
#: Share of the thumbnails that must overlap once they are aligned.
_OVERLAP = 0.75


class NearCopy(NamedTuple):
    """Two films that show the same.

    Attributes:
        first (int): Index of one film.
        second (int): Index of the other, higher.
        mirrored (bool): Whether one is seen from behind.
        similarity (float): Correlation of the aligned thumbnails, at most 1.
    """

    first: int
    second: int
    mirrored: bool
    similarity: float


def find_near_copies(
    fingerprints: np.ndarray,
    threshold: int = DEFAULT_THRESHOLD,
    workers: int = 1,
    progress: bool = False,
) -> list[NearCopy]:
    """Find the near copies among films.

    The time grows with the square of the number of films, but a thousand million pairs take about
    ten seconds.

    Args:
        fingerprints (np.ndarray): (N,), dtype ``FINGERPRINT``, of different pixels.
        threshold (int): Bits of 256 in which the hashes of two candidates may differ. Defaults to
            64.
        workers (int): Threads. Defaults to 1.
        progress (bool): Show a progress bar. Defaults to False.

    Returns:
        list[NearCopy]: By index; a pair that fits both ways appears once, unmirrored.
    """
    found: dict[tuple[int, int], NearCopy] = {}
    starts = range(0, len(fingerprints), _TILE)
    tiles = list(combinations_with_replacement(starts, 2))
    bar = tqdm(total=2 * len(tiles), desc='comparing all with all', disable=not progress)
    with bar, ThreadPoolExecutor(workers) as executor:
        for mirrored in (False, True):
            compare = partial(_compare, fingerprints['thumbnail'], mirrored)
            bits = _signs(fingerprints['hash'])
            others = _signs(fingerprints['mirrored']) if mirrored else bits
            for tile in tiles:
                for near in executor.map(compare, _candidates(others, bits, tile, threshold)):
                    if near.similarity >= SAME_FILM:
                        found.setdefault((near.first, near.second), near)
                bar.update()
    return [found[pair] for pair in sorted(found)]


def _candidates(
    first: np.ndarray, second: np.ndarray, tile: tuple[int, int], threshold: int
) -> list[tuple[int, int]]:
    """Find the pairs in a tile of the table of all pairs whose hashes differ in few bits.

    With bits written as -1 and 1, the product of two hashes is their number of equal bits less that
    of the different ones: a matrix product compares all with all.
    """
    top, left = tile
    product = first[top : top + _TILE] @ second[left : left + _TILE].T
    rows, columns = np.nonzero(product >= HASH_BITS - 2 * threshold)
    pairs = zip((rows + top).tolist(), (columns + left).tolist(), strict=True)
    return [pair for pair in pairs if pair[0] < pair[1]]


def _signs(hashes: np.ndarray) -> np.ndarray:
    """Unpack hashes, (N, 32), to numbers -1 and 1, (N, 256)."""
    return np.unpackbits(hashes, axis=1).astype(np.float32) * 2 - 1


def _compare(thumbnails: np.ndarray, mirrored: bool, pair: tuple[int, int]) -> NearCopy:
    """Compare two films."""
    first, second = thumbnails[pair[0]], thumbnails[pair[1]]
    if mirrored:
        first = first[:, ::-1]
    return NearCopy(*pair, mirrored, similarity(first, second))


def similarity(first: np.ndarray, second: np.ndarray) -> float:
    """Say how alike two thumbnails are once they are laid over each other.

    The affine alignment (Evangelidis and Psarakis 2008, in OpenCV) makes up for a cropped border,
    the local normalisation for brightness and contrast.

    Args:
        first (np.ndarray): (64, 64), uint8.
        second (np.ndarray): (64, 64), uint8.

    Returns:
        float: Correlation of the details, from -1 to 1; 0 where they cannot be aligned.
    """
    template, image = _details(first), _details(second)
    warp = np.eye(2, 3, dtype=np.float32)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-4)
    try:
        _, warp = cv2.findTransformECC(template, image, warp, cv2.MOTION_AFFINE, stop, None, 5)
    except cv2.error:
        return 0.0  # nothing in common, or nothing to see in one of them
    size = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    linear = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    nearest = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    aligned = cv2.warpAffine(image, warp, size, flags=linear)
    overlap = cv2.warpAffine(np.ones_like(image), warp, size, flags=nearest) > 0
    if overlap.mean() < _OVERLAP:
        return 0.0
    inside, moved = template[overlap], aligned[overlap]
    if not (inside.std() > 0 and moved.std() > 0):
        return 0.0
    return float(np.corrcoef(inside, moved)[0, 1])


def _details(thumbnail: np.ndarray) -> np.ndarray:
    """Take brightness and contrast of the surroundings off a thumbnail."""
    grey = thumbnail.astype(np.float32)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), _DETAIL)
    contrast = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), _DETAIL))
    return detail / (contrast + np.float32(_NOISE))

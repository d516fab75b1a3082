# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import io

import cv2
import numpy as np
import pytest
from PIL import Image

from muscle_mm.datasets.checking.fingerprint import FINGERPRINT, fingerprint
from muscle_mm.datasets.checking.near_copies import find_near_copies, similarity

FILM = (300, 260)


def prints(*films):
    return np.stack([fingerprint(film, f'{i:064x}') for i, film in enumerate(films)])


def jpeg(film):
    file = io.BytesIO()
    Image.fromarray(film).save(file, format='JPEG', quality=40)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize(
    'alter',
    [
        jpeg,
        lambda film: cv2.resize(film, (97, 131), interpolation=cv2.INTER_AREA),
        lambda film: film[6:-3, 2:-5],
        lambda film: (np.clip(film / 255 * 1.1, 0, 1) ** 0.8 * 255).astype(np.uint8),
        lambda film: film // 2 + 60,
    ],
    ids=['encoded', 'resized', 'cropped', 'brighter', 'low contrast'],
)
@pytest.mark.parametrize('mirrored', [False, True])
def test_altered_copy_is_found(drawn, alter, mirrored):
    film = drawn(0, FILM)
    copy = alter(film)
    if mirrored:
        copy = copy[:, ::-1]
    others = [drawn(i, FILM) for i in range(1, 6)]
    (found,) = find_near_copies(prints(*others, film, np.ascontiguousarray(copy)))
    assert found[:3] == (5, 6, mirrored)
    assert 0.94 <= found.similarity <= 1


def test_same_outlines_with_other_details_are_no_copy(drawn):
    """As in follow-up films of a patient: the hashes are near, the films are not the same."""
    body = cv2.GaussianBlur(drawn(0, FILM), (0, 0), 20).astype(float)
    films = [
        np.clip(body + 0.2 * (cv2.GaussianBlur(drawn(i, FILM), (0, 0), 3) - 127.0), 0, 255)
        for i in (1, 2)
    ]
    rows = prints(*(film.astype(np.uint8) for film in films))
    bits = np.unpackbits(rows['hash'], axis=1)
    assert np.sum(bits[0] != bits[1]) <= 127
    assert find_near_copies(rows, threshold=127) == []


def test_films_without_content_are_no_copies():
    films = [np.full((50 + i, 50), 30 * i, dtype=np.uint8) for i in range(4)]
    assert find_near_copies(prints(*films)) == []
    assert similarity(films[0][:64, :64], films[0][:64, :64]) == 0


def test_threshold(drawn):
    film = drawn(0, FILM)
    rows = prints(film, film[9:, 7:])
    assert find_near_copies(rows, threshold=0) == []
    assert len(find_near_copies(rows)) == 1


def test_pairs_far_apart_among_many(drawn):
    rows = np.zeros(4500, dtype=FINGERPRINT)
    generator = np.random.default_rng(0)
    for name in ('hash', 'mirrored'):
        rows[name] = generator.integers(0, 256, rows[name].shape)
    copies = prints(drawn(0), drawn(0, (192, 160)), drawn(1), drawn(1, (144, 120)))
    rows[[3, 4, 4400, 4499]] = copies[[0, 2, 1, 3]]
    found = find_near_copies(rows, workers=2)
    assert [pair[:3] for pair in found] == [(3, 4400, False), (4, 4499, False)]


@pytest.mark.parametrize('count', [0, 1])
def test_nothing_to_compare(drawn, count):
    assert find_near_copies(prints(drawn(0))[:count]) == []

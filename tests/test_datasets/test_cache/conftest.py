# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A prepared folder of films of all shapes, and its cache."""

import cv2
import numpy as np
import pytest

from muscle_mm.datasets.cache import build_cache, cached_films, read_cached
from muscle_mm.datasets.manifest import read_manifest
from muscle_mm.datasets.preparation import prepare


class PreparedFilms:
    """A source folder, and the folder of its manifest."""

    SHAPES = {
        'square.png': (64, 64),
        'wide.jpg': (48, 120),
        'high.png': (130, 37),
        'small.png': (9, 20),
        'dot.png': (2, 1),
        'deep.png': (50, 40),
    }

    def __init__(self, root):
        self.source, self.out = root / 'films', root / 'prepared'
        self.source.mkdir()
        for name, shape in self.SHAPES.items():
            self.write(name, shape)
        self.prepare()

    def write(self, name, shape, seed=0):
        """Write a film with soft structures, of 16 bits where its name says deep."""
        film = np.random.default_rng([seed, *shape]).integers(0, 256, shape, np.uint8)
        if min(shape) > 4:
            film = cv2.GaussianBlur(film, (0, 0), 3)
        if name.startswith('deep'):
            film = film.astype(np.uint16) * 200
        cv2.imwrite(str(self.source / name), film)

    def prepare(self):
        prepare('XrayFolder', self.source, self.out, progress=False)

    def build(self, size=32, **options):
        return build_cache(self.out / 'manifest.json', size, progress=False, **options)

    def read(self, size=32):
        """Read every film from the cache."""
        records = read_manifest(self.out / 'manifest.json')[1]
        found = zip(records, cached_films(self.out, size, records), strict=True)
        return {record['img_path']: read_cached(film, record['img_path']) for record, film in found}


@pytest.fixture
def films(tmp_path):
    return PreparedFilms(tmp_path)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pickle

import numpy as np
import pytest

from muscle_mm.datasets.cache import CachedFilm, cached_films, read_cached
from muscle_mm.datasets.io import XrayReadError
from muscle_mm.datasets.manifest import read_manifest


@pytest.fixture
def cached(films):
    """The films of a cache."""
    films.build()
    return cached_films(films.out, 32, read_manifest(films.out / 'manifest.json')[1])


def test_a_copy_that_may_be_changed(cached):
    first = read_cached(cached[0], 'x.png')
    first[:] = 0
    assert read_cached(cached[0], 'x.png').any()
    assert read_cached(cached[0], 'x.png').flags.owndata


def test_a_film_travels_to_a_worker(cached):
    film = pickle.loads(pickle.dumps(cached[1]))
    np.testing.assert_array_equal(read_cached(film, 'x.png'), read_cached(cached[1], 'x.png'))


def test_a_damaged_film_is_named_and_the_others_are_read(cached, films):
    path = films.out / 'cache_32.bin'
    content = bytearray(path.read_bytes())
    content[cached[2].offset] ^= 1
    path.write_bytes(content)
    with pytest.raises(XrayReadError, match=r'film 2\.png: its pixels in the cache .*are damaged'):
        read_cached(cached[2], 'film 2.png')
    for film in cached[:2] + cached[3:]:
        assert read_cached(film, 'x.png').shape == (film.height, film.width)


def test_a_cache_that_is_built_anew_is_found_by_those_who_have_read_it(films):
    films.build()
    before = films.read()
    for name in films.SHAPES:
        films.write(name, films.SHAPES[name], seed=8)
    films.prepare()
    films.build()
    after = films.read()
    assert after.keys() == before.keys()
    assert not any(np.array_equal(after[name], before[name]) for name in after)


@pytest.mark.parametrize('content', [None, b''], ids=['missing', 'empty'])
def test_no_pixels(tmp_path, content):
    path = tmp_path / 'cache_8.bin'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(XrayReadError, match=r'cannot read the radiograph x\.png: its cache '):
        read_cached(CachedFilm(str(path), 0, 2, 2, 0), 'x.png')

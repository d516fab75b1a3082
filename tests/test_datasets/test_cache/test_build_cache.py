# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import errno
import json
import multiprocessing
import os
import shutil

import cv2
import numpy as np
import pytest

from muscle_mm.datasets.cache import (
    build,
    build_cache,
    cached_films,
    read_cached,
    shrink,
    writer,
)
from muscle_mm.datasets.io import read_xray
from muscle_mm.datasets.manifest import read_manifest
from muscle_mm.utils.errors import UserError


@pytest.fixture
def decoded(monkeypatch, work_here):
    """The names of the films that a build decodes."""
    work_here('muscle_mm.datasets.cache.build')
    names = []

    def read(path, **options):
        names.append(os.path.basename(path))
        return read_xray(path, **options)

    monkeypatch.setattr(shrink, 'read_xray', read)
    return names


def test_shorter_side_and_ratio(films):
    summary = films.build(32)
    assert {name: film.shape for name, film in films.read(32).items()} == {
        'square.png': (32, 32),
        'wide.jpg': (32, 80),
        'high.png': (112, 32),
        'small.png': (9, 20),
        'dot.png': (2, 1),
        'deep.png': (40, 32),
    }
    assert (summary.images, summary.added) == (6, 6)
    assert str(summary).startswith('  cache of 32 pixels: 6 images (6 new), 0.0 MB, ')


def test_pixels_are_those_of_the_reader(films):
    films.build(32)
    cached = films.read(32)
    for name in ('small.png', 'dot.png'):
        np.testing.assert_array_equal(cached[name], read_xray(films.source / name))
    for name in ('square.png', 'wide.jpg', 'deep.png', 'high.png'):
        film = read_xray(films.source / name)
        expected = cv2.resize(film, cached[name].shape[::-1], interpolation=cv2.INTER_AREA)
        np.testing.assert_array_equal(cached[name], expected)


def test_a_large_jpeg_is_decoded_at_a_reduced_size_and_looks_the_same(films):
    films.write('large.jpg', (400, 500))
    films.prepare()
    films.build(32)
    film = cv2.resize(read_xray(films.source / 'large.jpg'), (40, 32), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(films.read(32)['large.jpg'].astype(int), film, atol=4)


def test_the_same_bytes_with_any_number_of_processes(films):
    written = []
    for workers in (1, 3):
        films.build(32, workers=workers)
        paths = [films.out / 'cache_32.bin', films.out / 'cache_32.json']
        written.append([path.read_bytes() for path in paths])
        for path in paths:
            path.unlink()
    assert written[0] == written[1]


def test_several_sizes_lie_side_by_side(films):
    films.build(16)
    films.build(32)
    assert films.read(16)['square.png'].shape == (16, 16)
    assert films.read(32)['square.png'].shape == (32, 32)


def test_nothing_is_decoded_twice(films, decoded):
    films.build()
    assert sorted(decoded) == sorted(films.SHAPES)
    del decoded[:]
    assert films.build().added == 0
    assert decoded == []


def test_only_what_has_changed_is_decoded(films, decoded):
    films.build()
    before = films.read()
    films.write('high.png', (130, 37), seed=1)
    films.write('new.png', (40, 44))
    (films.source / 'dot.png').unlink()
    films.prepare()
    del decoded[:]
    assert films.build().added == 2
    assert sorted(decoded) == ['high.png', 'new.png']
    after = films.read()
    assert after.keys() == before.keys() - {'dot.png'} | {'new.png'}
    assert not np.array_equal(after['high.png'], before['high.png'])
    for name in ('square.png', 'wide.jpg', 'small.png', 'deep.png'):
        np.testing.assert_array_equal(after[name], before[name])


def test_a_film_that_a_training_is_reading_is_not_overwritten(films):
    films.build()
    records = read_manifest(films.out / 'manifest.json')[1]
    found = cached_films(films.out, 32, records)
    read = {film: read_cached(film, 'a film') for film in found}
    last = max(found, key=lambda film: film.offset)
    name = records[found.index(last)]['img_path']
    films.write(name, films.SHAPES[name], seed=9)
    films.prepare()
    assert films.build().added == 1
    for film, pixels in read.items():
        np.testing.assert_array_equal(read_cached(film, 'a film'), pixels)


def test_pixels_of_no_more_use_do_not_pile_up(films):
    films.build()
    size = (films.out / 'cache_32.bin').stat().st_size
    for seed in range(1, 6):
        for name in ('high.png', 'square.png', 'wide.jpg'):
            films.write(name, films.SHAPES[name], seed)
        films.prepare()
        films.build()
        assert films.read()['wide.jpg'].shape == (32, 80)
    assert (films.out / 'cache_32.bin').stat().st_size <= 2.1 * size


def test_an_interrupted_build_goes_on(films, decoded, monkeypatch):
    def interrupted(record, **options):
        if len(decoded) == 3:
            raise KeyboardInterrupt
        return shrink.shrunk_film(record, **options)

    with monkeypatch.context() as patch:
        patch.setattr(build, 'shrunk_film', interrupted)
        with pytest.raises(KeyboardInterrupt):
            films.build()
    with pytest.raises(UserError, match='3 of 6 images are not in it'):
        films.read()
    assert films.build().added == 3
    assert sorted(decoded) == sorted(films.SHAPES)
    assert len(films.read()) == 6


def _build_and_die(manifest, after):
    """End without any chance to tidy up, as by ``kill -9``."""
    count = iter(range(after + 1))

    def add(self, record, film, really=writer.CacheWriter.add):
        if next(count) == after:
            self._file.write(b'half a film')
            os._exit(9)
        really(self, record, film)

    writer._SECONDS_BETWEEN_SAVES = 0
    writer.CacheWriter.add = add
    build_cache(manifest, 32, progress=False)


def test_a_killed_build_goes_on(films, work_here):
    # Processes of its own would hold the folder's lock for a moment longer than it lives.
    work_here('muscle_mm.datasets.cache.build')
    process = multiprocessing.get_context('fork').Process(
        target=_build_and_die, args=(films.out / 'manifest.json', 4)
    )
    process.start()
    process.join()
    assert process.exitcode == 9
    assert films.build().added == 2
    killed = (films.out / 'cache_32.bin').read_bytes()
    (films.out / 'cache_32.json').unlink()
    films.build()
    assert (films.out / 'cache_32.bin').read_bytes() == killed


def test_damaged_pixels_are_made_anew(films):
    films.build()
    before = films.read()
    pixels = films.out / 'cache_32.bin'
    content = bytearray(pixels.read_bytes())
    content[0] ^= 1
    pixels.write_bytes(content)
    assert films.build().added == 1
    for name, film in films.read().items():
        np.testing.assert_array_equal(film, before[name])


@pytest.mark.parametrize(
    'damage',
    [
        lambda index, pixels: index.unlink(),
        lambda index, pixels: pixels.unlink(),
        lambda index, pixels: pixels.write_bytes(b''),
        lambda index, pixels: pixels.write_bytes(pixels.read_bytes()[:-1]),
        lambda index, pixels: index.write_text('{"version": 1,'),
        lambda index, pixels: index.write_text('[]'),
        lambda index, pixels: index.write_text('{"version": 99, "size": 32, "images": {}}'),
        lambda index, pixels: index.write_text(
            index.read_text().replace('"offset": 0', '"offset": -5')
        ),
        lambda index, pixels: index.write_text(
            index.read_text().replace('"offset": 0', '"offset": "x"')
        ),
    ],
)
def test_any_damage_is_named_and_repaired_by_a_build(films, damage):
    films.build()
    before = films.read()
    damage(films.out / 'cache_32.json', films.out / 'cache_32.bin')
    with pytest.raises(UserError, match=r'tools/prepare_dataset\.py --out .* --cache 32'):
        films.read()
    films.build()
    for name, film in films.read().items():
        np.testing.assert_array_equal(film, before[name])


def test_a_file_that_has_changed_since_the_manifest(films):
    films.write('square.png', (64, 64), seed=3)
    with pytest.raises(
        UserError, match=r'1 of 6 images .*\n  square\.png: the file is not the one'
    ):
        films.build()
    with pytest.raises(UserError, match=r"1 of 6 images are not in it.*'square\.png'"):
        films.read()


def test_a_file_that_is_gone_costs_nothing_else(films, decoded):
    (films.source / 'square.png').unlink()
    with pytest.raises(UserError, match=r'Prepare the set again.*\n  square\.png: No such file'):
        films.build()
    films.prepare()
    del decoded[:]
    assert films.build().images == 5
    assert decoded == []


def test_a_full_disk_loses_nothing(films, monkeypatch):
    def full(self, record, film, really=writer.CacheWriter.add):
        if record['img_path'] == 'small.png':
            self._file.write(b'a part of the film')
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        really(self, record, film)

    with monkeypatch.context() as patch:
        patch.setattr(writer.CacheWriter, 'add', full)
        with pytest.raises(UserError, match=r'cannot be written \(No space left on device\)'):
            films.build()
    kept = sum(name < 'small.png' for name in films.SHAPES)
    assert films.build().added == 6 - kept
    assert len(films.read()) == 6


def test_a_disk_too_small_is_noticed_before(films, monkeypatch):
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: shutil._ntuple_diskusage(10, 10, 5))
    with pytest.raises(UserError, match=r'needs 0 MB more for 6 images, but only 0 MB are free'):
        films.build()


def test_a_folder_that_cannot_be_written_to(films, monkeypatch):
    def refuse(*args, **options):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(build, 'CacheWriter', refuse)
    with pytest.raises(UserError, match=r'cannot be written \(Permission denied\)'):
        films.build()


def test_two_builds_do_not_mix(films):
    fcntl = pytest.importorskip('fcntl')
    handle = os.open(films.out, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(UserError, match='another process is writing to'):
        films.build()
    os.close(handle)
    assert films.build().added == 6


def test_images_that_have_moved(films):
    films.source.rename(films.source.with_name('elsewhere'))
    with pytest.raises(UserError, match=r"the images' folder .*films.* does not exist"):
        films.build()


def test_paths_stay_in_their_folder(films):
    path = films.out / 'manifest.json'
    content = json.loads(path.read_text())
    content['data_list'][0]['img_path'] = '../films/square.png'
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match='leaves the folder'):
        films.build()


@pytest.mark.parametrize(
    ('size', 'options', 'reason'),
    [(0, {}, 'cache size 0'), (-3, {}, 'cache size -3'), (8, {'workers': 0}, 'workers=0')],
)
def test_bad_options(films, size, options, reason):
    with pytest.raises(UserError, match=reason):
        films.build(size, **options)


def test_a_frame_of_its_own(films, decoded):
    path = films.out / 'manifest.json'
    content = json.loads(path.read_text())
    films.build()
    content['data_list'][0]['frame'] = 0
    path.write_text(json.dumps(content))
    del decoded[:]
    assert films.build().added == 1
    assert decoded == [content['data_list'][0]['img_path']]

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pickle

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip('mmpretrain')

from muscle_mm.datasets import XrayDataset
from muscle_mm.datasets.cache import build_cache
from muscle_mm.datasets.preparation import prepare
from muscle_mm.prediction.film_reader import SHOWN_SIZE, FilmReader, lost_film
from muscle_mm.prediction.pixel_spacing import PixelSpacing
from muscle_mm.utils.toolbox import require_toolbox

PIPELINE = [
    dict(type='muscle_mm.LoadXray'),
    dict(type='mmpretrain.Resize', scale=(16, 16)),
    dict(type='mmpretrain.PackInputs'),
]


@pytest.fixture(autouse=True)
def registered():
    require_toolbox('mmpretrain', 'the test')


def gradient(path, size):
    rows = np.arange(size[0] * size[1]).reshape(size) % 256
    Image.fromarray(rows.astype(np.uint8)).save(path)
    return path


def test_reads_as_the_pipeline_does_and_keeps_a_smaller_film_to_draw(tmp_path, film_file):
    path = gradient(tmp_path / 'film.png', (2 * SHOWN_SIZE, SHOWN_SIZE + 1))
    read = pickle.loads(pickle.dumps(FilmReader(PIPELINE)))(film_file(path))
    assert (read.problem, read.size) == ('', (2 * SHOWN_SIZE, SHOWN_SIZE + 1))
    assert read.shown.shape == (SHOWN_SIZE, SHOWN_SIZE // 2)
    assert read.input_shape == (1, 16, 16)


def test_dicom_comes_with_its_spacing(dicom_film, film_file):
    read = FilmReader(PIPELINE)(film_file(dicom_film(PixelSpacing=[0.2, 0.1])))
    assert read.spacing == PixelSpacing(0.2, 0.1, 'PixelSpacing')
    assert read.size == (20, 30)


def test_inverted_files_are_turned(tmp_path, film_file):
    file = film_file(gradient(tmp_path / 'a MONOCHROME1.png', (8, 8)))
    plain = FilmReader(PIPELINE)(file).shown
    for pattern, expected in (('*MONOCHROME1*', 255 - plain), ('*.tif', plain)):
        shown = FilmReader(PIPELINE, inverted=pattern)(file).shown
        np.testing.assert_array_equal(shown, expected)


def test_a_frame_is_chosen(tmp_path, film_file):
    frames = [Image.fromarray(np.eye(8, dtype=np.uint8) * value) for value in (10, 20)]
    path = tmp_path / 'film.tif'
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert 'frame' in FilmReader(PIPELINE)(film_file(path)).problem
    assert FilmReader(PIPELINE, frame=1)(film_file(path)).shown.max() == 20
    single = film_file(gradient(tmp_path / 'single.png', (8, 8)))
    assert FilmReader(PIPELINE, frame=1)(single).problem == ''


@pytest.mark.parametrize('inverted', [None, '*_MONOCHROME1*'])
def test_the_network_gets_what_the_test_with_a_cache_gave_it(tmp_path, film_file, inverted):
    films = tmp_path / 'films'
    films.mkdir()
    # A JPEG so large is decoded at a part of its size for a cache; a small film stays as it is.
    for name, size in (('large_MONOCHROME1.jpg', (400, 500)), ('small.png', (20, 90))):
        gradient(films / name, size)
    deep = np.arange(90 * 70, dtype=np.uint16).reshape(90, 70) * 9
    Image.fromarray(deep).save(films / 'deep_MONOCHROME1.png')
    Image.fromarray(deep.astype(np.uint8)).save(films / 'film.tif')
    prepare('XrayFolder', films, tmp_path / 'data', inverted=inverted, progress=False)
    build_cache(tmp_path / 'data/manifest.json', 32, progress=False)
    tested = XrayDataset(data_root=tmp_path / 'data', cache=32, pipeline=PIPELINE, test_mode=True)
    reader = pickle.loads(pickle.dumps(FilmReader(PIPELINE, inverted, cache=32)))
    plain = FilmReader(PIPELINE, inverted)
    same = []
    for sample in tested:
        file = film_file(sample['data_samples'].img_path)
        read, without = reader(file), plain(file)
        assert torch.equal(read.packed['inputs'], sample['inputs'])
        for key in ('img_shape', 'ori_shape'):
            assert read.packed['data_samples'].get(key) == sample['data_samples'].get(key)
        np.testing.assert_array_equal(read.shown, without.shown)
        assert read.size == without.size
        if torch.equal(read.packed['inputs'], without.packed['inputs']):
            same.append(file.name)
    assert len(tested) == 4 and same == ['small.png']


def test_a_cache_is_for_transforms_that_read_from_it(tmp_path, film_file):
    path = gradient(tmp_path / 'film.png', (64, 64))
    pipeline = [dict(type='LoadImageFromFile', color_type='grayscale'), *PIPELINE[1:]]
    read = [FilmReader(pipeline, cache=cache)(film_file(path)) for cache in (None, 32)]
    assert torch.equal(*(film.packed['inputs'] for film in read))


@pytest.mark.parametrize(
    ('content', 'problem'),
    [(b'', 'the file is empty'), (b'text', ''), (None, 'does not exist')],
)
def test_what_cannot_be_read_has_a_reason(content, problem, tmp_path, film_file):
    path = tmp_path / 'film.png'
    if content is not None:
        path.write_bytes(content)
    read = FilmReader(PIPELINE)(film_file(path))
    assert read.problem and problem in read.problem
    assert str(path) not in read.problem
    assert (read.packed, read.input_shape) == (None, ())


def test_a_film_of_one_grey_value_and_a_folder_have_a_reason(tmp_path, film_file):
    Image.new('L', (9, 7), 3).save(tmp_path / 'film.png')
    reader = FilmReader(PIPELINE)
    assert 'holds nothing: 9 x 7' in reader(film_file(tmp_path / 'film.png')).problem
    assert 'cannot be listed' in reader(film_file(tmp_path)).problem


def test_a_film_on_which_a_transform_fails_has_a_reason(tmp_path, film_file):
    pipeline = [PIPELINE[0], dict(type='mmpretrain.ResizeEdge', scale=0), PIPELINE[2]]
    path = gradient(tmp_path / 'film.png', (8, 8))
    assert 'cannot be prepared (' in FilmReader(pipeline)(film_file(path)).problem


def test_a_lost_film_has_a_reason(film_file):
    assert 'ends the process' in lost_film(film_file('film.png')).problem

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pickle

import numpy as np
import pytest
from PIL import Image

from muscle_mm.datasets.io import XrayReadError
from muscle_mm.datasets.transforms import LoadXray
from muscle_mm.registry import TRANSFORMS
from muscle_mm.utils.errors import UserError


@pytest.fixture
def ramp(tmp_path):
    Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).save(tmp_path / 'x.png')
    return str(tmp_path / 'x.png')


def test_adds_image_and_shapes(ramp):
    results = LoadXray()({'img_path': ramp, 'gt_label': 1})
    assert results['img'].dtype == np.uint8
    assert results['img'].shape == results['img_shape'] == results['ori_shape'] == (3, 4)
    assert results['gt_label'] == 1


def test_inverted(ramp):
    plain = LoadXray()({'img_path': ramp})['img']
    inverted = LoadXray()({'img_path': ramp, 'inverted': True})['img']
    np.testing.assert_array_equal(inverted, 255 - plain)


def test_percentiles(tmp_path):
    Image.fromarray(np.array([[0, 100, 400]], np.uint16)).save(tmp_path / 'x.png')
    loaded = LoadXray(percentiles=(0, 100))({'img_path': str(tmp_path / 'x.png')})['img']
    assert loaded.tolist() == [[0, 64, 255]]


@pytest.mark.parametrize('percentiles', [(5, 5), (-1, 99), (1, 101)])
def test_bad_percentiles(percentiles):
    with pytest.raises(ValueError, match='LoadXray: percentiles='):
        LoadXray(percentiles)


def test_unreadable_file_is_named():
    with pytest.raises(XrayReadError, match=r'nowhere\.png: the file does not exist'):
        LoadXray()({'img_path': 'nowhere.png'})


def test_built_by_scope_alone():
    transform = TRANSFORMS.build({'type': 'muscle_mm.LoadXray'})
    assert repr(transform) == (
        "LoadXray(percentiles=(0.5, 99.5), min_side=None, dtype='uint8', frame=None)"
    )


@pytest.mark.parametrize(('dtype', 'top'), [('uint8', 255), ('uint16', 65535), ('float32', 1)])
def test_types(tmp_path, dtype, top):
    Image.fromarray(np.array([[0, 1000, 4000]], np.uint16)).save(tmp_path / 'x.png')
    load = LoadXray(percentiles=(0, 100), dtype=dtype)
    for inverted in (False, True):
        film = load({'img_path': str(tmp_path / 'x.png'), 'inverted': inverted})['img']
        expected = np.array([[0, 0.25, 1]]) * top
        np.testing.assert_allclose(film, top - expected if inverted else expected, atol=top / 500)
        assert film.dtype == dtype


@pytest.fixture
def large(tmp_path):
    film = np.tile(np.arange(128, dtype=np.uint8), (96, 1))
    Image.fromarray(film).save(tmp_path / 'x.jpg')
    return {'img_path': str(tmp_path / 'x.jpg'), 'gt_label': 1}


def test_min_side_reduces_a_jpeg(large):
    results = LoadXray(min_side=48)(large)
    assert results['img'].shape == results['img_shape'] == results['ori_shape'] == (48, 64)


def test_masks_and_boxes_stay_at_full_size(large):
    results = LoadXray()({**large, 'seg_map_path': 'mask.png', 'instances': [1]})
    assert results['seg_map_path'] == 'mask.png' and results['instances'] == [1]


def test_masks_and_boxes_do_not_fit_a_reduced_film(large):
    results = LoadXray(min_side=48)({**large, 'seg_map_path': 'mask.png', 'instances': []})
    assert 'seg_map_path' not in results
    boxes = pickle.loads(pickle.dumps(results['instances']))
    for use in (list, len, lambda held: held[0]):
        with pytest.raises(UserError, match=r'x\.jpg do not fit.*min_side=48.* Leave it out'):
            use(boxes)


def test_detectors_loading_of_boxes_ends_with_that_reason(large):
    transforms = pytest.importorskip('mmdet.datasets.transforms')
    results = LoadXray(min_side=48)({**large, 'instances': []})
    with pytest.raises(UserError, match='do not fit the image'):
        transforms.LoadAnnotations(with_bbox=True)(results)


def test_frame_of_the_transform_and_of_the_sample(tmp_path):
    pages = [Image.fromarray(np.full((3, 4), value, np.uint8)) for value in (10, 20, 30)]
    pages[0].save(tmp_path / 'x.tif', save_all=True, append_images=pages[1:])
    sample = {'img_path': str(tmp_path / 'x.tif')}
    with pytest.raises(XrayReadError, match=r'3 frames.*LoadXray\(frame=0\)'):
        LoadXray()(dict(sample))
    assert LoadXray(frame=1)(dict(sample))['img'][0, 0] == 20
    assert LoadXray(frame=1)({**sample, 'frame': 2})['img'][0, 0] == 30


@pytest.mark.parametrize(('name', 'value'), [('min_side', 0), ('dtype', 'float64'), ('frame', -1)])
def test_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f'LoadXray: {name}='):
        LoadXray(**{name: value})

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from PIL import Image

from muscle_mm.datasets.io import XrayReadError
from muscle_mm.datasets.transforms import LoadXray
from muscle_mm.registry import TRANSFORMS


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
    assert repr(transform) == 'LoadXray(percentiles=(0.5, 99.5))'

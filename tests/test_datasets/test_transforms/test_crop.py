# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import math
import random

import numpy as np
import pytest

from muscle_mm.datasets.transforms.crop import draw_crop


def draw(count, height, width, scale=(0.2, 1.0), rotation=10.0, flip_probability=0.5):
    random.seed(0)
    return [draw_crop(height, width, scale, rotation, flip_probability) for _ in range(count)]


@pytest.mark.parametrize('shape', [(224, 224), (1024, 800), (1, 1), (7, 9), (3000, 40), (1, 500)])
def test_crops_lie_in_the_film(shape):
    for crop in draw(200, *shape):
        assert crop.width > 0
        assert crop.height > 0
        assert crop.width / 2 - 1e-9 <= crop.x <= shape[1] - crop.width / 2 + 1e-9
        assert crop.height / 2 - 1e-9 <= crop.y <= shape[0] - crop.height / 2 + 1e-9


def test_area_is_uniform():
    crops = draw(4000, 1000, 1000, scale=(0.1, 0.5))
    areas = np.array([crop.width * crop.height for crop in crops]) / 1000**2
    assert areas.min() >= 0.1 - 1e-9
    assert areas.max() <= 0.5 + 1e-9
    np.testing.assert_allclose(np.quantile(areas, [0.25, 0.5, 0.75]), [0.2, 0.3, 0.4], atol=0.015)


def test_logarithm_of_the_ratio_is_uniform():
    ratios = [math.log(crop.width / crop.height) for crop in draw(4000, 900, 900, scale=(0.1, 0.5))]
    limit = math.log(4 / 3)
    assert -limit - 1e-9 <= min(ratios)
    assert max(ratios) <= limit + 1e-9
    quantiles = np.quantile(ratios, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(quantiles, [-limit / 2, 0, limit / 2], atol=0.02)


def test_place_is_uniform():
    crops = draw(4000, 600, 800, scale=(0.25, 0.25))
    across = [(crop.x - crop.width / 2) / (800 - crop.width) for crop in crops]
    down = [(crop.y - crop.height / 2) / (600 - crop.height) for crop in crops]
    for place in (across, down):
        np.testing.assert_allclose(np.quantile(place, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.04)


def test_a_film_too_long_for_any_crop_is_cut_as_wide_as_it_is():
    for crop in draw(100, 3000, 40):
        assert crop.width == pytest.approx(40)
        assert 3 / 4 - 1e-9 <= crop.width / crop.height <= 4 / 3 + 1e-9


def test_the_same_area_and_ratio_as_torchvision():
    import torch
    from torchvision.transforms import v2

    torch.manual_seed(0)
    film = torch.zeros(1, 500, 640)
    crops = draw(2000, 500, 640)
    theirs = [
        v2.RandomResizedCrop.get_params(film, [0.2, 1.0], [3 / 4, 4 / 3])[2:]
        if hasattr(v2.RandomResizedCrop, 'get_params')
        else tuple(
            v2.RandomResizedCrop(8, scale=(0.2, 1.0)).make_params([film])[key]
            for key in ('height', 'width')
        )
        for _ in range(2000)
    ]
    ours = np.array([(crop.height, crop.width) for crop in crops])
    theirs = np.array(theirs)
    np.testing.assert_allclose(ours.mean(0), theirs.mean(0), rtol=0.03)
    np.testing.assert_allclose(ours.std(0), theirs.std(0), rtol=0.08)


def test_angles_and_flips():
    crops = draw(4000, 100, 100, rotation=10, flip_probability=0.3)
    degrees = np.degrees([crop.angle for crop in crops])
    assert np.abs(degrees).max() <= 10
    np.testing.assert_allclose(np.quantile(degrees, [0.25, 0.5, 0.75]), [-5, 0, 5], atol=0.7)
    assert np.mean([crop.mirrored for crop in crops]) == pytest.approx(0.3, abs=0.03)


def test_no_rotation_and_no_flips():
    for crop in draw(50, 100, 100, rotation=0, flip_probability=0):
        assert crop.angle == 0
        assert not crop.mirrored
    assert all(crop.mirrored for crop in draw(50, 100, 100, flip_probability=1))

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import math

import cv2
import numpy as np
import pytest

from muscle_mm.datasets.transforms.crop import Crop
from muscle_mm.datasets.transforms.film_pyramid import FilmPyramid

#: So small that every pass through it is a turn, and nothing moves by it.
HARDLY = 1e-9


def blobs(height, width):
    noise = np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 10).astype(float)
    return np.clip((smooth - smooth.mean()) * 9 + 120, 1, 255).astype(np.uint8)


def whole(film, angle=0.0, mirrored=False):
    height, width = film.shape
    return Crop(width / 2, height / 2, width, height, angle, mirrored)


@pytest.mark.parametrize('angle', [0, HARDLY])
def test_the_whole_film_at_its_own_size_is_the_film(angle):
    film = blobs(48, 48)
    view = FilmPyramid(film).cut(whole(film, angle), 48)
    np.testing.assert_allclose(view.astype(int), film, atol=1)
    mirrored = FilmPyramid(film).cut(whole(film, angle, mirrored=True), 48)
    np.testing.assert_allclose(mirrored.astype(int), film[:, ::-1], atol=1)


@pytest.mark.parametrize('angle', [0, HARDLY])
def test_a_crop_is_cut_from_its_place(angle):
    film = blobs(100, 130)
    view = FilmPyramid(film).cut(Crop(x=70, y=40, width=32, height=32, angle=angle), 32)
    np.testing.assert_allclose(view.astype(int), film[24:56, 54:86], atol=1)


@pytest.mark.parametrize('angle', [0, HARDLY])
@pytest.mark.parametrize('mirrored', [False, True])
@pytest.mark.parametrize(('width', 'height'), [(24, 32), (100, 100), (200, 256), (320, 320)])
def test_every_scale_agrees_with_a_careful_resize(width, height, mirrored, angle):
    film = blobs(400, 401)
    crop = Crop(200, 192, width, height, angle, mirrored)
    view = FilmPyramid(film).cut(crop, 40)
    cut = film[192 - height // 2 : 192 + height // 2, 200 - width // 2 : 200 + width // 2]
    interpolation = cv2.INTER_AREA if min(width, height) > 40 else cv2.INTER_LINEAR
    expected = cv2.resize(cut, (40, 40), interpolation=interpolation)
    if mirrored:
        expected = expected[:, ::-1]
    difference = view.astype(float) - expected
    assert np.abs(difference[1:-1, 1:-1]).max() < 12
    assert difference.mean() == pytest.approx(0, abs=1)


def test_a_quarter_turn_is_clockwise_for_the_crop():
    film = blobs(64, 64)
    view = FilmPyramid(film).cut(whole(film, math.pi / 2), 64)
    # The film then appears turned counter-clockwise, as np.rot90 turns it.
    np.testing.assert_allclose(view.astype(int), np.rot90(film), atol=1)


def test_a_small_turn_is_of_the_angle_asked_for():
    film = np.zeros((201, 201), np.uint8)
    film[100, 100:180] = 255
    view = FilmPyramid(film).cut(whole(film, math.radians(10)), 201)
    rows, columns = np.nonzero(view > 60)
    slope = np.polyfit(columns, rows, 1)[0]
    assert math.degrees(math.atan(slope)) == pytest.approx(-10, abs=0.5)


def test_a_turn_does_not_shear_a_wide_crop():
    film = np.zeros((400, 400), np.uint8)
    cv2.circle(film, (200, 200), 50, 255, -1)
    for degrees in (0, 20, -35):
        crop = Crop(200.5, 200.5, 240, 180, math.radians(degrees))
        rows, columns = np.nonzero(FilmPyramid(film).cut(crop, 120) > 127)
        # The circle becomes an upright ellipse, whatever the angle.
        assert np.ptp(columns) + 1 == pytest.approx(101 * 120 / 240, abs=1.5)
        assert np.ptp(rows) + 1 == pytest.approx(101 * 120 / 180, abs=1.5)


def test_a_mirrored_turn_is_the_mirror_image_of_the_turn():
    film = blobs(80, 80)
    turned = FilmPyramid(film).cut(whole(film, 0.3), 60)
    mirrored = FilmPyramid(film).cut(whole(film, 0.3, mirrored=True), 60)
    np.testing.assert_allclose(mirrored[:, ::-1].astype(int), turned, atol=6)


def test_outside_the_film_is_black():
    film = np.full((50, 50), 200, np.uint8)
    view = FilmPyramid(film).cut(whole(film, math.pi / 4), 50)
    assert view[0, 0] == view[-1, -1] == view[0, -1] == view[-1, 0] == 0
    assert view[25, 25] == 200


def test_the_views_of_a_film_do_not_depend_on_their_order():
    film = blobs(300, 260)
    large, small = whole(film, 0.1), Crop(100, 100, 40, 40, 0.1)
    first, second = FilmPyramid(film), FilmPyramid(film)
    views = [first.cut(large, 32), first.cut(small, 32)]
    again = [second.cut(small, 32), second.cut(large, 32)]
    np.testing.assert_array_equal(views[0], again[1])
    np.testing.assert_array_equal(views[1], again[0])

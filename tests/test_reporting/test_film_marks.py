# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from matplotlib import pyplot

from muscle_mm.reporting.film_marks import draw_box, draw_outline, short_name, show_film


@pytest.fixture
def axis():
    pyplot.switch_backend('Agg')
    drawing, axis = pyplot.subplots(figsize=(4, 6))
    show_film(axis, np.zeros((60, 40), np.uint8))
    yield axis
    pyplot.close(drawing)


@pytest.mark.parametrize('above', [True, False])
@pytest.mark.parametrize(
    'corners', [(0, 0, 39, 59), (1, 20, 9, 40), (30, 0, 39, 9), (33, 50, 39, 59)]
)
def test_the_text_of_a_box_is_on_the_film(axis, corners, above):
    draw_box(axis, corners, 'red', '-', 'latent 0.50', above)
    axis.figure.canvas.draw()
    text, film = axis.texts[0].get_window_extent(), axis.get_window_extent()
    assert film.x0 - 1 <= text.x0 and text.x1 <= film.x1 + 1
    assert film.y0 - 1 <= text.y0 and text.y1 <= film.y1 + 1


@pytest.mark.parametrize('value', [False, True])
def test_marks_do_not_shrink_a_film(axis, value):
    limits = axis.get_xlim(), axis.get_ylim()
    draw_outline(axis, np.full((60, 40), value), 'red')
    draw_box(axis, (-50, -50, 90, 90), 'red', '-', 'a$b', True)
    axis.figure.canvas.draw()
    assert (axis.get_xlim(), axis.get_ylim()) == limits


def test_names_are_short_and_printable():
    assert short_name('film.png') == 'film.png'
    assert short_name('a_long_name_of_a_film.png', 10) == '…_film.png'
    assert short_name('a\nb\udcff.png') == 'a\\nb\\udcff.png'

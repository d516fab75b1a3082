# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest

from muscle_mm.evaluation import BinaryPredictions
from muscle_mm.utils.errors import UserError


def names(*images):
    return BinaryPredictions.from_rows((image, '', '', 0, 0.5) for image in images).names()


@pytest.mark.parametrize('root', ['', '/data/', 'elsewhere/mura/'])
def test_films_are_named_below_the_folder_that_they_share(root):
    assert names(f'{root}p1/s1/a.png', f'{root}p1/s2/a.png', f'{root}p2/b.png') == [
        'p1/s1/a.png',
        'p1/s2/a.png',
        'p2/b.png',
    ]


def test_one_film_and_no_film():
    assert names('/data/a.png') == ['a.png']
    assert names() == []


def test_several_films_of_one_file_have_names_of_their_own():
    assert names('x/a.dcm', 'x/a.dcm', 'x/b.dcm') == ['a.dcm', 'a.dcm (2)', 'b.dcm']


def test_films_without_a_file_cannot_be_named():
    with pytest.raises(UserError, match=r"1 of 2 films have no file name: add 'img_path'"):
        names('a.png', '')

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest

from muscle_mm.prediction.film_files import find_films, output_name
from muscle_mm.utils.errors import UserError


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_films_of_folders_in_order_with_one_name_each(tmp_path):
    names = ['a.png', 'x/IM000001', 'x/a.DCM', 'x/a.png', 'x/y/1.2.840.7']
    touch(*(tmp_path / 'films' / name for name in names))
    touch(*(tmp_path / 'films' / name for name in ('notes.txt', '.hidden.png', 'x/DICOMDIR')))
    found = find_films([tmp_path / 'films'], tmp_path / 'out')
    assert [film.name for film in found] == names
    assert [film.path for film in found] == [tmp_path / 'films' / name for name in names]


def test_the_results_of_a_run_before_are_no_films(tmp_path):
    touch(tmp_path / 'a.png', tmp_path / 'out/pictures/a.png', tmp_path / 'outer/b.png')
    found = find_films([tmp_path], tmp_path / 'out')
    assert [film.name for film in found] == ['a.png', 'outer/b.png']


def test_files_are_taken_whatever_their_ending_and_once(tmp_path, monkeypatch):
    touch(tmp_path / 'one/film.x', tmp_path / 'two/film.x')
    monkeypatch.chdir(tmp_path)
    inputs = [Path('two/film.x'), tmp_path / 'one/film.x', Path('two/../two/film.x')]
    found = find_films(inputs, tmp_path / 'out')
    assert [film.name for film in found] == ['two/film.x', 'one/film.x']
    assert found[0].path == Path('two/film.x')


def test_missing_and_empty_inputs_are_one_message(tmp_path):
    with pytest.raises(UserError, match='nowhere does not exist'):
        find_films([tmp_path / 'nowhere'], tmp_path / 'out')
    touch(tmp_path / 'notes.txt')
    with pytest.raises(UserError, match='no film found'):
        find_films([tmp_path], tmp_path / 'out')


def test_the_longest_names_get_room_for_an_ending():
    first, second = (output_name(Path('a', 125 * 'é' + end)) for end in ('1.png', '2.png'))
    assert first != second
    for name in (first, second):
        assert name.startswith('a/éé')
        assert len(os.fsencode(name.removeprefix('a/') + '.png.part')) <= 255

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest

from muscle_mm.pipeline.prepare_data import DEMO_SETS, REAL_SETS
from muscle_mm.pipeline.study_data import find_data
from muscle_mm.utils.errors import UserError


def prepare(folder, names):
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / 'manifest.json').touch()
    return str(folder)


def test_phantoms_are_drawn_into_the_study(tmp_path):
    data = find_data('phantoms', tmp_path)
    assert data.root == tmp_path / 'data'
    assert data.preparation == ('demo', str(tmp_path / 'data'))
    assert data.phantoms and data.nine_sets


def test_raw_films_are_prepared_into_the_study(tmp_path):
    films = tmp_path / 'films'
    for name in REAL_SETS:
        (films / name).mkdir(parents=True)
    data = find_data(str(films), tmp_path / 'out')
    assert data.preparation == ('real', str(tmp_path / 'out/data'), str(films))
    assert not data.phantoms and not data.nine_sets


def test_prepared_sets_are_read_where_they_are(tmp_path):
    nine = find_data(prepare(tmp_path / 'nine', DEMO_SETS.values()), tmp_path / 'out')
    assert (nine.root, nine.nine_sets, nine.preparation) == (tmp_path / 'nine', True, ())
    folders = [folder for folder, _, _ in REAL_SETS.values()]
    others = find_data(prepare(tmp_path / 'others', folders), tmp_path / 'out')
    assert (others.root, others.nine_sets, others.preparation) == (tmp_path / 'others', False, ())


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(UserError, match='--data /nowhere: the folder does not exist'):
        find_data('/nowhere', tmp_path)
    (tmp_path / 'films' / 'pneumonia').mkdir(parents=True)
    with pytest.raises(UserError, match=r'neither prepared sets .* knee, lung, .* missing'):
        find_data(str(tmp_path / 'films'), tmp_path)
    some = prepare(tmp_path / 'some', ['nihcc', 'pneumonia', 'mura', 'chest_xray_masks'])
    with pytest.raises(UserError, match='of the nine china_set_cxr, montgomery_cxr, indiana_cxr'):
        find_data(some, tmp_path)

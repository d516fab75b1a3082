# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest

from muscle_mm.datasets.checking.fingerprint import FINGERPRINT, fingerprint
from muscle_mm.datasets.checking.fingerprint_file import FingerprintFile, key_of
from muscle_mm.utils.errors import UserError


@pytest.fixture
def rows(drawn):
    options = ({}, {'frame': 0}, {'inverted': True})
    return [fingerprint(drawn(i), f'{i:064x}', **options[i]) for i in range(3)]


def content(file):
    return {key: row.tobytes() for key, row in file.read().items()}


def test_keeps_what_was_added(rows, tmp_path):
    file = FingerprintFile(tmp_path / 'prints')
    assert file.read() == {}
    file.add(rows[:2])
    file.add(rows[2:])
    again = FingerprintFile(tmp_path / 'prints')
    for known in (file, again):
        assert content(known) == {
            (f'{0:064x}', False, None): rows[0].tobytes(),
            (f'{1:064x}', False, 0): rows[1].tobytes(),
            (f'{2:064x}', True, None): rows[2].tobytes(),
        }


def test_two_processes_that_add_at_the_same_time_read_the_same(rows, tmp_path):
    first, second = (FingerprintFile(tmp_path / 'prints') for _ in range(2))
    first.add(rows[:1])
    second.add(rows[1:2])
    first.add(rows[2:])
    second.add(rows[2:])
    for file in (first, second):
        assert content(file) == {key_of(row): row.tobytes() for row in rows}


@pytest.mark.parametrize('lost', [1, FINGERPRINT.itemsize - 1])
def test_half_a_fingerprint_is_cut_off(rows, tmp_path, lost):
    path = tmp_path / 'prints'
    FingerprintFile(path).add(rows[:2])
    path.write_bytes(path.read_bytes()[:-lost])
    file = FingerprintFile(path)
    assert len(file.read()) == 1
    file.add(rows[2:])
    expected = {key_of(row): row.tobytes() for row in (rows[0], rows[2])}
    assert content(FingerprintFile(path)) == expected


@pytest.mark.parametrize('content', [b'', b'muscle', b'something else of another version'])
def test_other_file_is_begun_anew(rows, tmp_path, content):
    path = tmp_path / 'prints'
    path.write_bytes(content)
    file = FingerprintFile(path)
    assert file.read() == {}
    file.add(rows)
    assert len(FingerprintFile(path).read()) == 3


def test_place_that_cannot_be_written(tmp_path):
    (tmp_path / 'prints').mkdir()
    with pytest.raises(UserError, match=r'prints, cannot be written \(Is a directory\)'):
        FingerprintFile(tmp_path / 'prints')


def test_fingerprint_tells_shapes_and_inversion_apart(drawn):
    film = drawn(0)
    one = fingerprint(film, '0' * 64)
    assert fingerprint(255 - film, '1' * 64, inverted=True)['pixels'].tolist() == (
        one['pixels'].tolist()
    )
    assert fingerprint(film.reshape(80, 96), '0' * 64)['pixels'].tolist() != one['pixels'].tolist()

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest

from muscle_mm.datasets.exclusions import read_exclusions, write_exclusions
from muscle_mm.utils.errors import UserError

#: a name as the disk has it that is no UTF-8, among others
NAMES = ['b.png', 'a, "b".png', 'Röntgen/ä.png', 'caf\udce9.png']


def test_round_trip(tmp_path):
    path = tmp_path / 'exclusions.csv'
    reasons = {name: f'a reason, number {i}' for i, name in enumerate(NAMES)}
    write_exclusions(path, reasons)
    assert read_exclusions(path, NAMES) == reasons
    written = path.read_bytes()
    write_exclusions(path, dict(reversed(reasons.items())))
    assert path.read_bytes() == written


def test_nothing_to_leave_out(tmp_path):
    path = tmp_path / 'exclusions.csv'
    assert read_exclusions(path, []) == {}
    write_exclusions(path, {'a.png': 'reason'})
    write_exclusions(path, {})
    assert not path.exists()


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('', 'line 1: expected the heading img_path,reason, got None'),
        ('a.png,reason\n', 'line 1: expected the heading img_path,reason'),
        ('img_path,reason\nb.png,r\na.png\n', 'line 3: expected two columns .* got 1'),
        ('img_path,reason\nb.png,r,s\n', 'line 2: expected two columns .* got 3'),
        ('img_path,reason\nb.png,r\nc.png,r\n', "line 3: the image 'c.png' is not in the manifest"),
        ('img_path,reason\n"b.png\n\n",r\n', r'line 4: the image .* is not in the manifest'),
        (f'img_path,reason\nb.png,{"r" * 200000}\n', 'after line 1: cannot be read'),
    ],
)
def test_malformed(tmp_path, content, message):
    path = tmp_path / 'exclusions.csv'
    path.write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        read_exclusions(path, NAMES)
    assert str(path) in str(caught.value)
    assert 'python tools/check_data.py DATA_ROOT --fix' in str(caught.value)


def test_place_that_cannot_be_read_or_written(tmp_path):
    with pytest.raises(UserError, match='cannot be read'):
        read_exclusions(tmp_path, [])
    with pytest.raises(UserError, match='cannot be written'):
        write_exclusions(tmp_path / 'nowhere/exclusions.csv', {'a.png': 'reason'})

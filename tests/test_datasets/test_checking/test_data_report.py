# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json

import pytest

from muscle_mm.datasets.checking import check_data
from muscle_mm.utils.errors import UserError


@pytest.fixture
def report(write_set, drawn):
    films = {f'{i}.png': {'pixels': drawn(0)} for i in range(5)}
    films['9.png'] = {'pixels': drawn(0), 'split': 'test'}
    return check_data([write_set('one', films)], workers=1, progress=False)


def test_text_is_short(report):
    assert str(report).splitlines() == [
        'ERROR: 5 films are copies of one that is held out from them (leak)',
        '    equal bytes',
        '        [train] one: 0.png',
        '        [test] one: 9.png',
        '    equal bytes',
        '        [train] one: 1.png',
        '        [test] one: 9.png',
        '    equal bytes',
        '        [train] one: 2.png',
        '        [test] one: 9.png',
        '    ... and 2 more',
        '  -> --fix leaves them out; the held-out film stays',
        'warning: 4 films are copies of another one of the same split (copy)',
        '    equal bytes',
        '        [train] one: 0.png',
        '        [train] one: 1.png',
        '    equal bytes',
        '        [train] one: 0.png',
        '        [train] one: 2.png',
        '    equal bytes',
        '        [train] one: 0.png',
        '        [train] one: 3.png',
        '    ... and 1 more',
        '  -> no harm to the results; --fix keeps the first of equal films in train',
        'one: 6 images, 0 left out',
        'NOT CLEAN. The same command with --fix writes exclusions.csv beside each manifest '
        'concerned; the data sets then leave these images out.',
    ]


def test_json_holds_everything(report, tmp_path):
    report.write(tmp_path / 'report.json')
    content = json.loads((tmp_path / 'report.json').read_text())
    assert (content['clean'], content['counts']) == (False, {'leak': 5, 'copy': 4})
    assert len(content['findings']) == 9
    film, held_out = content['findings'][0]['films']
    assert film == {
        'set': 'one',
        'split': 'train',
        'img_path': '0.png',
        'file': str(tmp_path / 'images/one/0.png'),
        'manifest': str(tmp_path / 'data/one/manifest.json'),
    }
    assert held_out['split'] == 'test'
    assert content['findings'][0]['leave_out'] == [film]
    assert content['sets'][0]['images'] == 6


def test_report_makes_its_folder_and_names_one_that_cannot_be(report, tmp_path):
    report.write(tmp_path / 'new/report.json')
    assert (tmp_path / 'new/report.json').is_file()
    with pytest.raises(UserError, match=r'the report .*report\.json/x.* cannot be written'):
        report.write(tmp_path / 'new/report.json/x')

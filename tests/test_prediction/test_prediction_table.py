# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import csv
import json

import pytest

from muscle_mm.prediction.prediction_table import PredictionTable


def test_rows_are_there_at_once_and_json_at_the_end(tmp_path):
    with PredictionTable(tmp_path, ['class'], {'threshold': 0.5}) as table:
        table.add('a,b\n"c".png', {'class': 'é'}, [{'class': 'é'}])
        with open(tmp_path / 'predictions.csv', newline='', encoding='utf-8') as file:
            rows = list(csv.DictReader(file))
        assert rows == [{'file': 'a,b\n"c".png', 'class': 'é', 'picture': '', 'problem': ''}]
        assert not (tmp_path / 'predictions.json').exists()
    content = json.loads((tmp_path / 'predictions.json').read_text())
    assert content == {'threshold': 0.5, 'films': [{'file': 'a,b\n"c".png', 'class': 'é'}]}


def test_an_interrupted_run_leaves_rows_and_no_json(tmp_path):
    with PredictionTable(tmp_path, [], {}) as table:
        table.add('old.png', {}, [{}])
    with pytest.raises(KeyboardInterrupt), PredictionTable(tmp_path, [], {}) as table:
        table.add('new.png', {}, [{}])
        raise KeyboardInterrupt
    assert not (tmp_path / 'predictions.json').exists()
    assert 'new.png' in (tmp_path / 'predictions.csv').read_text()


def test_names_that_are_no_utf8_keep_their_bytes(tmp_path):
    name = b'\xff.png'.decode('utf-8', 'surrogateescape')
    with PredictionTable(tmp_path, [], {}) as table:
        table.add(name, {}, [{}])
    assert b'\n\xff.png,' in (tmp_path / 'predictions.csv').read_bytes()

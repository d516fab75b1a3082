# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest

from muscle_mm.evaluation import BinaryPredictions
from muscle_mm.utils.errors import UserError

ROWS = [
    ('a/1.png', 'p1', 's1', 1, 0.1),
    ('a/2, "left".png', 'p1', 's1', 1, 0.7000000000000001),
    ('a/3.png', '', '', 0, 1 / 3),
    ('a/4.png', 'ü', 's2', 0, 1e-30),
]


def test_a_table_comes_back_exactly(tmp_path):
    films = BinaryPredictions.from_rows(ROWS)
    path = tmp_path / 'test_predictions.csv'
    films.write(path)
    assert path.read_text(encoding='utf-8').splitlines()[:2] == [
        'image,patient,study,label,score',
        'a/1.png,p1,s1,1,0.1',
    ]
    back = BinaryPredictions.read(path)
    for name in ('images', 'patients', 'studies'):
        assert getattr(back, name) == getattr(films, name)
    assert back.labels.tolist() == films.labels.tolist()
    assert back.scores.tolist() == films.scores.tolist()


def test_no_film_is_a_table_too(tmp_path):
    BinaryPredictions.from_rows([]).write(tmp_path / 'none.csv')
    assert BinaryPredictions.read(tmp_path / 'none.csv').labels.size == 0


@pytest.mark.parametrize(
    'text',
    [
        '',
        'film,score\n',
        'image,patient,study,label,score\na,b,c,0\n',
        'image,patient,study,label,score\na,b,c,0,high\n',
    ],
)
def test_other_tables_are_refused(tmp_path, text):
    path = tmp_path / 'other.csv'
    path.write_text(text)
    with pytest.raises(UserError, match=r'other\.csv cannot be read as a table of predictions'):
        BinaryPredictions.read(path)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(UserError, match=r'no\.csv cannot be read.*TestPredictionsHook'):
        BinaryPredictions.read(tmp_path / 'no.csv')


def test_studies_keep_the_order_of_their_first_films():
    rows = [
        ('1', 'p', 'b', 0, 0.2),
        ('2', 'q', 'a', 1, 0.5),
        ('3', 'p', 'b', 1, 0.6),
        ('4', 'r', '', 0, 0.9),
    ]
    studies = BinaryPredictions.from_rows(rows).by_study()
    assert studies.images == ('b', 'a', '4')
    assert studies.patients == ('p', 'q', 'r')
    assert studies.labels.tolist() == [1, 1, 0]
    assert studies.scores == pytest.approx([0.4, 0.5, 0.9])


def test_a_film_of_no_patient_is_no_other_films_patient():
    rows = [('1', '', '', 0, 0.2), ('2', '0', '', 1, 0.5), ('3', '0', '', 1, 0.5)]
    units = BinaryPredictions.from_rows(rows).units()
    assert units[1] == units[2] != units[0]


def test_the_same_films_elsewhere_are_the_same():
    films = BinaryPredictions.from_rows(ROWS)
    moved = replace(
        films, images=tuple(f'/data/{image}' for image in films.images), scores=np.zeros(4)
    )
    films.check_same_films(moved)


def test_other_films_are_refused():
    films = BinaryPredictions.from_rows(ROWS)
    with pytest.raises(UserError, match='tested on 4 and 3 films'):
        films.check_same_films(BinaryPredictions.from_rows(ROWS[:3]))
    with pytest.raises(UserError, match=r"row 2 is \('2, .* and \('3\.png'"):
        films.check_same_films(BinaryPredictions.from_rows([ROWS[i] for i in (0, 2, 1, 3)]))
    with pytest.raises(UserError, match='row 1 is'):
        films.check_same_films(replace(films, labels=1 - films.labels))

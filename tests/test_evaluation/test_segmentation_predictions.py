# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from muscle_mm.evaluation import SegmentationPredictions, draw_patients
from muscle_mm.utils.errors import UserError

CLASSES = ('lung', 'background')


def masks(count=5, seed=0):
    """Predicted and true masks of films of different sizes."""
    generator = np.random.default_rng(seed)
    sizes = [(9 + film, 11 - film) for film in range(count)]
    return [[generator.integers(0, 2, size) for _ in range(2)] for size in sizes]


def rows_of(films):
    rows = []
    for number, (predicted, true) in enumerate(films):
        pairs = [(predicted == label, true == label) for label in (1, 0)]
        areas = [[(p & t).sum(), p.sum(), t.sum()] for p, t in pairs]
        rows.append((f'set/{number}, a.png', f'p{number // 2}', np.array(areas)))
    return rows


def test_a_table_comes_back_exactly(tmp_path):
    films = SegmentationPredictions.from_rows(CLASSES, rows_of(masks()))
    films.write(tmp_path / 'rows.csv')
    lines = (tmp_path / 'rows.csv').read_text().splitlines()
    assert lines[0] == (
        'image,patient,lung intersection,lung predicted,lung true,'
        'background intersection,background predicted,background true'
    )
    back = SegmentationPredictions.read(tmp_path / 'rows.csv')
    assert (back.images, back.patients, back.classes) == (films.images, films.patients, CLASSES)
    assert back.areas.tolist() == films.areas.tolist()


def test_no_film_is_a_table_too(tmp_path):
    SegmentationPredictions.from_rows(CLASSES, []).write(tmp_path / 'none.csv')
    back = SegmentationPredictions.read(tmp_path / 'none.csv')
    assert back.areas.shape == (0, 2, 3)
    assert np.isnan(back.main_scores(np.ones((2, 0), int))).all()


def test_resamples_score_what_their_films_together_score():
    films = masks()
    rows = SegmentationPredictions.from_rows(CLASSES, rows_of(films))
    counts = next(draw_patients(rows.units(), rows.strata(), 20))
    for drawn, dice, miou in zip(
        counts, rows.main_scores(counts), rows.mean_iou(counts), strict=True
    ):
        places = np.repeat(np.arange(len(films)), drawn)
        predicted, true = (
            np.concatenate([films[place][part].ravel() for place in places]) for part in (0, 1)
        )
        both = (predicted & true).sum()
        assert dice == pytest.approx(2 * both / (predicted.sum() + true.sum()), abs=1e-12)
        ious = [
            ((predicted == label) & (true == label)).sum()
            / ((predicted == label) | (true == label)).sum()
            for label in (0, 1)
        ]
        assert miou == pytest.approx(np.mean(ious), abs=1e-12)


def test_what_is_nowhere_is_nan_and_left_out_of_the_mean():
    empty = np.zeros((3, 4), int)
    rows = SegmentationPredictions.from_rows(CLASSES, rows_of([[empty, empty]]))
    assert np.isnan(rows.main_scores(np.array([[1], [0]]))).all()
    assert rows.mean_iou(np.array([[1], [0]])) == pytest.approx([1, np.nan], nan_ok=True)


def test_films_are_taken_in_another_order():
    rows = SegmentationPredictions.from_rows(CLASSES, rows_of(masks()))
    taken = rows.take([3, 0])
    assert taken.images == ('set/3, a.png', 'set/0, a.png')
    assert taken.truths() == [rows.truths()[3], rows.truths()[0]]


@pytest.mark.parametrize(
    'text',
    [
        '',
        'image,patient\na,b\n',
        'image,patient,score\na,b,1\n',
        'image,patient,lung intersection,lung predicted,lung true\na,b,1,2\n',
        'image,patient,lung intersection,lung predicted,lung true\na,b,1,2,x\n',
        'image,patient,lung intersection,lung predicted,lung true\na,b,1,2,3',
    ],
)
def test_other_and_broken_tables_are_refused(tmp_path, text):
    path = tmp_path / 'other.csv'
    path.write_text(text)
    with pytest.raises(UserError, match=r'other\.csv cannot be read as a table of predictions'):
        SegmentationPredictions.read(path)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest

from muscle_mm.evaluation import ClassBoxes, DetectionPredictions
from muscle_mm.reporting.cells import collect_cells
from muscle_mm.reporting.film_scores import FilmScores


def scores_of(root):
    return FilmScores(collect_cells(root).tested, num_resamples=200)


@pytest.mark.parametrize('task', ['pneumonia', 'lung', 'tbx'])
def test_scores_are_the_measures_and_intervals_hold_them(tmp_path, add_films, task):
    for seed in (0, 1):
        add_films(task, 'muscle', seed, per_patient=2)
    scores = scores_of(tmp_path)
    cells = list(scores.films)
    for cell in cells:
        assert 100 * scores.score(cell) == pytest.approx(next(iter(cell.metrics.values())))
    mean = np.mean([scores.score(cell) for cell in cells])
    low, high = scores.interval(cells)
    assert low < mean < high
    assert scores.problems == []


def test_films_in_another_order_and_place_are_the_same(tmp_path, add_films):
    add_films('lung', 'muscle')
    add_films('lung', 'scratch', folder='/elsewhere/lungs', reverse=True)
    scores = scores_of(tmp_path)
    one, other = scores.films
    assert scores.difference_of([one, other]) == ''
    assert scores.interval([one, other]) is not None
    # The same draws: models of the same films rise and fall together.
    assert not np.array_equal(scores.drawn[one], scores.drawn[other])
    again = scores_of(tmp_path)
    for cell, same in zip(scores.films, again.films, strict=True):
        assert np.array_equal(scores.drawn[cell], again.drawn[same])


def test_other_films_are_named(tmp_path, add_films):
    add_films('lung', 'scratch')
    add_films('lung', 'md_moco', count=23)
    add_films('lung', 'muscle', per_patient=2)
    scores = scores_of(tmp_path)
    scratch, md_moco, muscle = scores.films
    assert scores.difference_of([scratch, md_moco]) == (
        'R18 Scratch seed 0 and R18 MD-MoCo seed 0 were tested on other films (24 and 23; '
        '23.png is only in one)'
    )
    assert scores.difference_of([scratch, muscle]) == (
        'R18 Scratch seed 0 and R18 MUSCLE seed 0 were tested with other truth or patients of '
        'films (1.png is one)'
    )
    assert scores.interval([scratch, md_moco]) is None


def test_a_broken_table_is_a_problem_and_the_others_are_read(tmp_path, add_films):
    path = add_films('lung', 'scratch') / 'test_predictions.csv'
    path.write_text(path.read_text()[:-3])
    add_films('lung', 'muscle')
    scores = scores_of(tmp_path)
    assert [cell.initialisation for cell in scores.films] == ['muscle']
    assert len(scores.problems) == 1
    assert f'{path} cannot be read' in scores.problems[0]


def test_a_table_of_another_test_is_a_problem(tmp_path, add_films):
    work_dir = add_films('lung', 'scratch')
    (work_dir / 'test_metrics.json').write_text(json.dumps({'segmentation/dice': 50.0}))
    scores = scores_of(tmp_path)
    assert not scores.films
    assert 'but the test result says 50.00: they are of different tests' in scores.problems[0]


def test_models_without_tables_are_one_problem(tmp_path, add_cell, add_films):
    add_films('lung', 'scratch')
    add_cell('lung', 'muscle')
    add_cell('mura', 'muscle')
    add_cell('age', 'muscle', metrics={'age/mae': 1.0})
    scores = scores_of(tmp_path)
    assert len(scores.problems) == 1
    assert '2 of 4 tested models have no table of test films' in scores.problems[0]
    missing = [cell for cell in collect_cells(tmp_path).tested if cell.task == 'mura']
    assert scores.interval(missing) is None
    assert scores.interval([]) is None


def test_films_without_names_are_a_problem(tmp_path, add_films):
    add_films('lung', 'scratch', names=[''] * 24)
    assert "24 of 24 films have no file name: add 'img_path'" in scores_of(tmp_path).problems[0]


def test_equal_scores_of_films_are_taken_in_the_order_of_the_test(tmp_path, add_cell):
    # The false box comes first in the test, and last by name.
    boxes = (ClassBoxes(0, (0.5,), (False,)), ClassBoxes(1, (0.5,), (True,)))
    films = DetectionPredictions(
        ('b.png', 'a.png'), ('', ''), ('active',), tuple((one,) for one in boxes)
    )
    work_dir = add_cell('tbx', 'muscle', metrics={'detection/map': 50.0})
    films.write(work_dir / 'test_predictions.csv')
    scores = scores_of(tmp_path)
    assert scores.problems == []
    assert scores.score(next(iter(scores.films))) == pytest.approx(0.5)

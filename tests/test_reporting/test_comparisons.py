# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy.stats import false_discovery_control

from muscle_mm.evaluation import BinaryPredictions, paired_bootstrap_test, paired_delong_test
from muscle_mm.reporting.cells import collect_cells
from muscle_mm.reporting.comparisons import BOOTSTRAP, DELONG, compare_initialisations
from muscle_mm.reporting.film_scores import FilmScores


def compare(root, num_resamples=400):
    cells = collect_cells(root).tested
    return compare_initialisations(cells, FilmScores(cells, num_resamples))


def test_muscle_against_all_and_all_against_scratch(tmp_path, add_films):
    for name in ('scratch', 'imagenet', 'md_moco', 'muscle_minus_minus', 'muscle'):
        add_films('lung', name)
        add_films('lung', name, backbone='resnet50')
    made, problems = compare(tmp_path)
    assert [(one.first, one.second) for one in made if one.backbone == 'R50'] == [
        ('muscle', 'scratch'),
        ('muscle', 'imagenet'),
        ('muscle', 'md_moco'),
        ('muscle', 'muscle_minus_minus'),
        ('imagenet', 'scratch'),
        ('md_moco', 'scratch'),
        ('muscle_minus_minus', 'scratch'),
    ]
    assert len(made) == 14
    assert problems == []
    expected = false_discovery_control([one.p_value for one in made])
    assert [one.adjusted for one in made] == pytest.approx(expected)


def test_one_seed_and_one_film_a_patient_is_delong(tmp_path, add_films):
    first = add_films('mura', 'muscle')
    second = add_films('mura', 'scratch')
    (one,), _ = compare(tmp_path)
    films, others = (
        BinaryPredictions.read(folder / 'test_predictions.csv') for folder in (first, second)
    )
    expected = paired_delong_test(films.labels, films.scores, others.scores)
    assert one.method == DELONG
    assert (one.difference, one.low, one.high) == pytest.approx(
        (100 * expected.difference, 100 * expected.low, 100 * expected.high)
    )
    assert one.p_value == one.adjusted == pytest.approx(expected.p_value)
    assert (one.films, one.patients, one.seeds) == (24, 24, (0,))


@pytest.mark.parametrize(
    ('task', 'seeds', 'per_patient'),
    [('mura', [0], 2), ('mura', [0, 1], 1), ('lung', [0], 1), ('tbx', [0, 3], 3)],
)
def test_otherwise_patients_are_drawn(tmp_path, add_films, task, seeds, per_patient):
    for seed in seeds:
        add_films(task, 'muscle', seed, per_patient=per_patient)
        add_films(task, 'scratch', seed, per_patient=per_patient)
    (one,), _ = compare(tmp_path)
    measures = {
        name: np.mean(
            [
                next(iter(cell.metrics.values()))
                for cell in collect_cells(tmp_path).tested
                if cell.initialisation == name
            ]
        )
        for name in ('muscle', 'scratch')
    }
    assert one.method == BOOTSTRAP
    assert one.difference == pytest.approx(measures['muscle'] - measures['scratch'])
    assert one.low < one.difference < one.high
    assert one.seeds == tuple(seeds)
    assert (one.films, one.patients) == (24, 24 // per_patient)


def test_the_bootstrap_is_that_of_the_paired_test(tmp_path, add_films):
    first = add_films('lung', 'muscle', per_patient=2)
    second = add_films('lung', 'scratch', per_patient=2)
    cells = collect_cells(tmp_path).tested
    scores = FilmScores(cells, num_resamples=300)
    (one,), _ = compare_initialisations(cells, scores)
    assert first != second
    films, others = (
        next(scores.films[cell] for cell in cells if cell.initialisation == name)
        for name in ('muscle', 'scratch')
    )

    def dice(rows):
        both, predicted, true = rows[:, 0].sum(axis=0)
        return 2 * both / (predicted + true)

    expected = paired_bootstrap_test(
        films.areas, others.areas, dice, films.units(), num_resamples=300
    )
    assert (one.difference, one.low, one.high, one.p_value) == pytest.approx(
        (100 * expected.difference, 100 * expected.low, 100 * expected.high, expected.p_value)
    )


def test_seeds_that_both_have_are_compared(tmp_path, add_films):
    for seed in (0, 1):
        add_films('lung', 'muscle', seed)
    add_films('lung', 'scratch', 1)
    (one,), _ = compare(tmp_path)
    assert one.seeds == (1,)


def test_what_cannot_be_compared_says_why(tmp_path, add_films, add_cell):
    add_films('lung', 'muscle')
    add_films('lung', 'scratch', count=20)
    add_films('lung', 'md_moco')
    add_films('mura', 'muscle', 0)
    add_films('mura', 'scratch', 1)
    add_cell('tbx', 'muscle')
    add_cell('tbx', 'scratch')
    made, problems = compare(tmp_path)
    assert [(one.task, one.first, one.second) for one in made] == [('lung', 'muscle', 'md_moco')]
    assert len(problems) == 4
    assert 'lung, R18: MUSCLE and Scratch are not compared' in problems[1]
    assert 'tested on other films (24 and 20' in problems[1]
    assert problems[0] == (
        'mura, R18: MUSCLE and Scratch are not compared: no seed of both has a table of test films.'
    )


def test_equal_models_do_not_differ(tmp_path, add_films):
    # The same films and scores: DeLong's variance is zero.
    for name in ('muscle', 'scratch'):
        path = add_films('mura', name) / 'test_predictions.csv'
        path.with_name('test_metrics.json').write_text('{"binary/auc": 100.0}')
        films = BinaryPredictions.read(path)
        BinaryPredictions(
            films.images, films.patients, films.studies, films.labels, films.labels.astype(float)
        ).write(path)
    (one,), problems = compare(tmp_path)
    assert problems == []
    assert (one.difference, one.p_value, one.adjusted) == (0, 1, 1)

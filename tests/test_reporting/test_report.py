# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest

from muscle_mm.reporting.report import read_study


def test_everything_that_is_missing_is_listed(tmp_path, add_cell):
    for seed in (0, 1):
        for task in ('pneumonia', 'mura', 'lung', 'tbx'):
            add_cell(task, 'muscle', seed)
        add_cell('lung', 'scratch', seed, tested=seed == 1)
    add_cell('tbx', 'scratch', tested=False)
    report = read_study(tmp_path)
    assert report.missing[0] == (
        'R18 Scratch: Pneumonia; MURA; Lung seed 0 (begun, without a test result); '
        'TBX (begun, without a test result)'
    )
    assert report.missing[1:4] == [
        'R18 ImageNet: all tasks',
        'R18 MD-MoCo: all tasks',
        'R18 MUSCLE--: all tasks',
    ]
    assert len(report.missing) == 9  # of R18 MUSCLE nothing is missing
    assert '– is missing.' in report.notes  # noqa: RUF001


def test_notes_say_what_is_shown(tmp_path, add_cell):
    add_cell('mura', 'muscle', 0)
    add_cell('mura', 'muscle', 2)
    notes = read_study(tmp_path, {'mura': 'Knee'}, 'Few films.').notes
    assert notes[0] == 'Few films.'
    assert any('Means over 2 seeds (0, 2)' in note for note in notes)
    assert any(note.startswith('Knee stands in the place of MURA') for note in notes)
    assert any('doi 10.1007/978-3-031-16452-1_15' in note for note in notes)


def test_the_mean_over_seeds_has_an_interval_over_patients(tmp_path, add_films):
    for seed in (0, 1):
        add_films('lung', 'muscle', seed)
    table = read_study(tmp_path).table
    low, high = table.interval(('R18', 'muscle'), 'lung', table.columns['lung'][0])
    assert low < table.value(('R18', 'muscle'), 'lung', 'segmentation/dice') < high
    assert table.interval(('R18', 'muscle'), 'lung', table.columns['lung'][1]) is None


def test_problems_of_all_steps_are_together(tmp_path, add_films):
    add_films('lung', 'muscle')
    add_films('lung', 'scratch', count=9)
    (add_films('lung', 'md_moco') / 'test_metrics.json').write_text('{')
    (add_films('lung', 'imagenet') / 'test_predictions.csv').write_text('image\n')
    problems = read_study(tmp_path).problems
    assert len(problems) == 5
    for text, problem in zip(
        (
            'test_metrics.json cannot be read as JSON',
            'test_predictions.csv cannot be read as a table',
            'MUSCLE and Scratch are not compared',
            'MUSCLE and ImageNet are not compared',
            'ImageNet and Scratch are not compared',
        ),
        problems,
        strict=True,
    ):
        assert text in problem


@pytest.mark.parametrize('seeds', [1, 2])
def test_comparisons_say_what_they_do_not_cover(tmp_path, add_films, seeds):
    for seed in range(seeds):
        add_films('lung', 'muscle', seed)
        add_films('lung', 'scratch', seed)
    report = read_study(tmp_path)
    assert len(report.comparisons) == 1
    assert 'nothing of how a result varies from training to training' in report.about_comparisons[0]
    assert len(report.about_comparisons) == seeds

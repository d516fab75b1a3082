# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json

import pytest
from PIL import Image

from muscle_mm.evaluation import ScoreMatrix
from muscle_mm.reporting.pictures import draw_pictures
from muscle_mm.reporting.report import read_study
from muscle_mm.reporting.roc_curves import draw_roc_curves
from muscle_mm.schedule import make_visits


def draw(root, films=0):
    report = read_study(root)
    out = root / 'report'
    out.mkdir(exist_ok=True)
    draw_pictures(report, root, out, films)
    assert [path for _, path in report.pictures] == [
        path for _, path in report.pictures if Image.open(path).width > 300
    ]
    return report, sorted(path.name for path in out.iterdir())


def write_step_2(root, backbone='resnet18', seed=0):
    matrix = ScoreMatrix(['lung'], make_visits(dict(lung=3), rounds=2))
    matrix.note(0, dict(lung=80.0))
    work_dir = root / 'pretrain' / backbone / f'seed{seed}' / 'muscle'
    scalars = work_dir / '20260101_000000' / 'vis_data' / 'scalars.json'
    scalars.parent.mkdir(parents=True)
    scalars.write_text('{"lr": 0.1, "loss": 1.0, "step": 1}\n')
    (work_dir / 'continual_scores.json').write_text(json.dumps(matrix.to_json()))
    return work_dir


def test_a_whole_study(tmp_path, add_films):
    for backbone in ('resnet18', 'resnet50'):
        for seed in (0, 1):
            for task in ('pneumonia', 'lung'):
                add_films(task, 'muscle', seed, backbone)
            write_step_2(tmp_path, backbone, seed)
    report, files = draw(tmp_path)
    assert files == [
        'bars.png',
        'curves_step2_resnet18_muscle.png',
        'curves_step2_resnet50_muscle.png',
        'curves_step3_resnet18.png',
        'curves_step3_resnet50.png',
        'forgetting_resnet18_muscle.png',
        'forgetting_resnet50_muscle.png',
        'roc.png',
    ]
    assert report.problems == []
    titles = [title for title, _ in report.pictures]
    assert titles[:3] == ['Main measures', 'ROC curves', 'Forgetting, R18 MUSCLE, seed 0']


@pytest.mark.parametrize('value', [0.0, 50.0, 100.0, float('nan')])
def test_one_task_and_one_cell(tmp_path, add_cell, value):
    add_cell('hip', 'ark', metrics={'age/mae': value}, backbone='vit')
    report, files = draw(tmp_path)
    assert files == ['bars.png', 'curves_step3_vit.png']
    assert report.problems == []


def test_a_broken_file_costs_its_own_picture_alone(tmp_path, add_films):
    add_films('lung', 'muscle')
    scores = write_step_2(tmp_path) / 'continual_scores.json'
    scores.write_text(scores.read_text()[:-20])
    old = tmp_path / 'report' / 'forgetting_resnet18_muscle.png'
    old.parent.mkdir()
    old.write_text('of another study')
    report, files = draw(tmp_path)
    assert files == ['bars.png', 'curves_step3_resnet18.png']
    assert len(report.problems) == 2
    assert f'forgetting_resnet18_muscle.png is not drawn from {scores}' in report.problems[0]
    assert 'curves_step2_resnet18_muscle.png is not drawn from' in report.problems[1]


def test_models_that_cannot_be_run_are_named(tmp_path, add_films):
    add_films('lung', 'muscle')
    add_films('lung', 'scratch')
    report, files = draw(tmp_path, films=2)
    assert 'predictions_lung_resnet18.png' not in files
    assert len(report.problems) == 1
    assert (
        'predictions_lung_resnet18.png does not show R18 Scratch, R18 MUSCLE: '
        in (report.problems[0])
    )
    assert 'holds no config' in report.problems[0]


def test_no_roc_without_both_classes(tmp_path, add_films):
    add_films('lung', 'muscle')
    report = read_study(tmp_path)
    assert not draw_roc_curves(report.scores, tmp_path / 'roc.png', {})
    assert not (tmp_path / 'roc.png').exists()

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest

from muscle_mm.datasets.manifest import write_manifest
from muscle_mm.pipeline.estimate import estimate, iterations_of, read_rates, stage_config
from muscle_mm.pipeline.ledger import Ledger
from muscle_mm.pipeline.overview import overview
from muscle_mm.pipeline.plan import make_plan
from muscle_mm.pipeline.stage import Stage
from muscle_mm.pipeline.study import Study
from muscle_mm.pipeline.study_data import StudyData
from muscle_mm.utils.errors import UserError

for toolbox in ('mmpretrain', 'mmseg', 'mmdet'):
    pytest.importorskip(toolbox)

#: training films of each set; 5 for validation more
SIZES = {'pneumonia': 37, 'mura': 65, 'chest_xray_masks': 17, 'tbx': 9, 'nih64': 20}
KINDS = {'chest_xray_masks': 'segmentation', 'tbx': 'detection'}


@pytest.fixture
def stages(tmp_path):
    """The plan of a study on prepared sets whose films nobody reads."""
    root = tmp_path / 'data'
    for name, size in {**SIZES, 'dicom': 3, 'png16': 2}.items():
        (root / name).mkdir(parents=True)
        splits = ['train'] * size + ['val'] * 5
        box = {'bbox': [0, 0, 2, 2], 'bbox_label': 0, 'ignore_flag': 0}
        records = [
            {
                'img_path': f'{number}.png',
                'patient_id': str(number),
                'split': split,
                'height': 8,
                'width': 8,
                'gt_label': number % 2,
                'seg_map_path': f'{number}.png',
                'instances': [box],
            }
            for number, split in enumerate(splits)
        ]
        metainfo = {'classes': ['a', 'b'], 'task': KINDS.get(name, 'classification')}
        write_manifest(root / name / 'manifest.json', metainfo, records)
    study = Study(
        out=tmp_path / 'out',
        data=StudyData(str(root), root, nine_sets=False),
        budget='small',
        initialisations=('scratch', 'muscle'),
    )
    return {stage.name: stage for stage in make_plan(study).stages}


@pytest.mark.parametrize(
    ('name', 'iterations'),
    [
        # 15 epochs of 5 batches of 16, the last of one film; mmpretrain keeps it
        ('finetune/mura/resnet18/scratch/seed0', 15 * 5),
        # 5 epochs of 2 batches of 8; the last film is dropped
        ('finetune/lung/resnet18/scratch/seed0', 5 * 2),
        ('finetune/tbx/resnet18/muscle/seed0', 12 * 2),
        # 10 epochs of 158 films, 5 without a split among them, in batches of 32
        ('pretrain/resnet18/seed0/md_moco', 10 * ((37 + 65 + 17 + 9 + 25 + 8 + 7) // 32)),
        # 3 rounds of one epoch: batches of 16, 16, 8, 8
        ('pretrain/resnet18/seed0/muscle', 3 * (3 + 5 + 3 + 2)),
    ],
)
def test_iterations_are_counted_on_the_films(stages, name, iterations):
    assert iterations_of(stage_config(stages[name])) == iterations


def test_finished_stages_come_before_measured_iterations(stages):
    stage = stages['finetune/mura/resnet18/muscle/seed0']
    kind = 'mura/resnet18'
    found = estimate(stage, {kind: [10.0, 30.0, 80.0]}, {kind: 1.0})
    assert (found.seconds, found.basis) == (30.0, 'median of 3 finished here')
    found = estimate(stage, {'lung/resnet18': [10.0]}, {kind: 0.5})
    assert (found.seconds, found.basis) == (75 * 0.5, '75 iterations of 0.5 s')
    found = estimate(stage, {'lung/resnet18': [10.0]}, {'mura/resnet50': 0.5})
    assert (found.seconds, found.basis) == (None, 'not measured')


def test_an_overview_says_what_its_times_rest_on(tmp_path):
    stages = [
        Stage('a', 'first', ('run', 'two words'), kind='x'),
        Stage('b', 'second', ('run', 'b'), kind='x', after=('a',)),
        Stage('c', 'third', ('run', 'c'), kind='x'),
        Stage('d', 'fourth', ('run', 'd'), kind='y'),
    ]
    ledger = Ledger(tmp_path, stages)
    ledger.mark(stages[0], 'done', 90.0)
    ledger.mark(stages[1], 'started')
    lines = overview(stages, ledger, {}, jobs=2).splitlines()
    assert lines == [
        '# first: done',
        '# second: to go on, 1:30 (median of 1 finished here)',
        'run b',
        '# third: to do, 1:30 (median of 1 finished here)',
        'run c',
        '# fourth: to do (not measured)',
        'run d',
        '',
        '1 of 4 stages are done.',
        '2 of the others: 3:00 one after another, at least 1:30 with 2 at a time. From rates of '
        'this folder; another machine or load has others.',
        'Without a time: 1.',
    ]


def test_an_overview_shows_the_commands_of_the_cluster(stages):
    stage = stages['finetune/mura/resnet18/scratch/seed0']
    ledger = Ledger(Path('nowhere'), [stage])
    shown = overview([stage], ledger, {'mura/resnet18': 2.0}, jobs=1, partition='gpus')
    assert 'tools/slurm_train.sh gpus finetune-mura-resnet18-scratch-seed0 ' in shown
    assert '2:30 (75 iterations of 2 s)' in shown
    assert 'leave out start, validation and test' in shown
    shown = overview([stage], ledger, {}, jobs=1)
    assert (
        'Without a time: 1, 1 of them trainings: --measure trains a few iterations of each kind.'
        in shown
    )


def test_films_that_are_missing_are_an_error(stages, tmp_path):
    (tmp_path / 'data/mura/manifest.json').unlink()
    with pytest.raises(UserError, match='mura'):
        iterations_of(stage_config(stages['finetune/mura/resnet18/scratch/seed0']))


def test_rates_are_read_where_there_are_any(tmp_path):
    path = tmp_path / 'rates.json'
    assert read_rates(path) == {}
    path.write_text(json.dumps({'mura/resnet18': 2}))
    assert read_rates(path) == {'mura/resnet18': 2.0}

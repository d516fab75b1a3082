# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest

from muscle_mm.evaluation import (
    BinaryPredictions,
    ClassBoxes,
    DetectionPredictions,
    SegmentationPredictions,
)

BINARY = {
    'binary/accuracy': 97.264,
    'binary/sensitivity': 97.42,
    'binary/specificity': 96.84,
    'binary/auc': 99.61,
    'binary/auc_ci_low': 99.32,
    'binary/auc_ci_high': 99.83,
}
RESULTS = {
    'pneumonia': BINARY,
    'mura': BINARY,
    'lung': {'segmentation/dice': 95.37, 'segmentation/miou': 94.22},
    'tbx': {'detection/map': 36.71, 'detection/ap_active': 64.84, 'detection/ap_latent': 8.59},
}


def write_lines(path, records):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(json.dumps(record) for record in records) + '\n')


@pytest.fixture
def add_cell(tmp_path):
    """Write a work directory as the toolboxes' tools leave it."""

    def add(task, initialisation, seed=0, metrics=None, backbone='resnet18', tested=True):
        work_dir = tmp_path / 'finetune' / task / backbone / initialisation / f'seed{seed}'
        work_dir.mkdir(parents=True)
        train = [
            {
                'lr': 0.1 / step,
                'loss': 1 / step,
                'epoch': step,
                'iter': 10 * step,
                'step': 10 * step,
            }
            for step in (1, 2, 3)
        ]
        val = [{'binary/auc': 50.0 + step, 'step': step} for step in (1, 2, 3)]
        records = [record for pair in zip(train, val, strict=True) for record in pair]
        write_lines(work_dir / '20260101_000000' / 'vis_data' / 'scalars.json', records)
        if tested:
            result = RESULTS[task] if metrics is None else metrics
            write_lines(work_dir / 'test_metrics.json', [{'checkpoint': 'x', 'metrics': result}])
        return work_dir

    return add


@pytest.fixture
def add_films(add_cell):
    """Write a work directory with a table of test films, and the main measure that it gives."""

    def add(task, initialisation, seed=0, backbone='resnet18', **options):
        films = make_films(task, skill=sum(map(ord, initialisation)) + seed, **options)
        score = 100 * films.main_scores(np.ones((1, len(films.images)), int))[0]
        key = {'lung': 'segmentation/dice', 'tbx': 'detection/map'}.get(task, 'binary/auc')
        work_dir = add_cell(task, initialisation, seed, {key: float(score)}, backbone)
        films.write(work_dir / 'test_predictions.csv')
        return work_dir

    return add


def make_films(task, skill, count=24, per_patient=1, folder='set', reverse=False, names=None):
    """Draw what a model of some skill gives for films whose truth is the same for all models."""
    truth, model = np.random.default_rng(0), np.random.default_rng(skill)
    names = names or [f'{folder}/{number}.png' for number in range(count)]
    patients = [f'p{number // per_patient}' for number in range(count)]
    if task == 'lung':
        true = truth.integers(50, 100, count)
        both = true - model.integers(1, 20, count)
        areas = np.stack(
            [
                np.stack([both, both + 5, true], axis=-1),
                np.stack([195 - true, 200 - both - 5, 200 - true], axis=-1),
            ],
            axis=1,
        )
        rows = list(zip(names, patients, areas, strict=True))
        films = SegmentationPredictions.from_rows(('lung', 'background'), rows)
    elif task == 'tbx':

        def boxes(rate):
            number = int(truth.poisson(rate))
            hits = int(model.integers(0, number + 1))
            scores = tuple(model.random(hits + 1).tolist())
            return ClassBoxes(number, scores, tuple(place < hits for place in range(hits + 1)))

        films = DetectionPredictions(
            tuple(names),
            tuple(patients),
            ('active', 'latent'),
            tuple((boxes(1.5), boxes(1)) for _ in names),
        )
    else:
        labels = (np.arange(count) // 2) % 2
        scores = 1 / (1 + np.exp(-(labels - 0.5) - model.normal(0, 1, count)))
        rows = zip(names, patients, [''] * count, labels.tolist(), scores.tolist(), strict=True)
        films = BinaryPredictions.from_rows(rows)
    return films.take(range(count)[::-1]) if reverse else films

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json

from muscle_mm.reporting.scalars import read_scalars


def test_validations_counted_in_epochs_are_placed_at_iterations(add_cell):
    log = read_scalars(add_cell('pneumonia', 'scratch'))
    assert log.curve('loss') == ([10, 20, 30], [1, 1 / 2, 1 / 3])
    assert log.curve('binary/auc', 'val') == ([10, 20, 30], [51, 52, 53])
    assert log.curve('nothing') == ([], [])


def test_a_continuation_replaces_what_it_repeats(tmp_path):
    runs = {
        '20260101_000000': [(10, 1.0), (20, 2.0), (30, 3.0)],
        '20260101_010000': [(20, 2.5), (30, 3.5), (40, 4.5)],
    }
    for stamp, points in runs.items():
        path = tmp_path / stamp / 'vis_data' / 'scalars.json'
        path.parent.mkdir(parents=True)
        lines = [json.dumps({'lr': 0.1, 'loss': loss, 'step': step}) for step, loss in points]
        path.write_text('\n'.join(lines) + '\n{"lr": 0.1, "lo')
    assert read_scalars(tmp_path).curve('loss') == ([10, 20, 30, 40], [1.0, 2.5, 3.5, 4.5])


def test_a_continuation_that_repeats_a_validation_replaces_it(tmp_path):
    def train(epoch, step):
        return {'lr': 0.1, 'loss': 1.0, 'epoch': epoch, 'step': step}

    runs = {
        '20260101_000000': [
            train(1, 10),
            {'auc': 50, 'step': 1},
            train(2, 20),
            {'auc': 60, 'step': 2},
        ],
        '20260101_010000': [{'auc': 60, 'step': 2}, train(3, 30), {'auc': 70, 'step': 3}],
        '20260101_020000': [{'auc': 70, 'step': 3}],
    }
    for stamp, records in runs.items():
        path = tmp_path / stamp / 'vis_data' / 'scalars.json'
        path.parent.mkdir(parents=True)
        path.write_text('\n'.join(json.dumps(record) for record in records))
    log = read_scalars(tmp_path)
    assert log.curve('loss') == ([10, 20, 30], [1.0] * 3)
    assert log.curve('auc', 'val') == ([10, 20, 30], [50, 60, 70])


def test_no_log_is_empty(tmp_path):
    assert read_scalars(tmp_path).train == []

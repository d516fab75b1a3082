# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest

from muscle_mm.pipeline.output import duration, error_in, progress_of


@pytest.mark.parametrize(
    ('line', 'shown'),
    [
        (
            '11/23 23:22:42 - mmengine - INFO - Epoch(train) [1][10/42]  lr: 1.0e-02  eta: '
            '0:00:09\n',
            'Epoch(train) [1][10/42]  lr: 1.0e-02  eta: 0:00:09',
        ),
        (
            '11/23 23:22:42 - mmengine - INFO - Iter(val) [9/9]  auc: 91.2',
            'Iter(val) [9/9]  auc: 91.2',
        ),
        ('11/23 23:22:42 - mmengine - INFO - visit 2/12: round 1', 'visit 2/12: round 1'),
        ('11/23 23:22:42 - mmengine - WARNING - "FileClient" will be deprecated', None),
        ('(VERY_HIGH   ) RuntimeInfoHook', None),
        ('', None),
    ],
)
def test_progress_is_shown_without_time_stamp_and_the_rest_is_not(line, shown):
    assert progress_of(line) == shown


def test_the_last_error_is_found():
    log = (
        'ValueError: first\n\nDuring handling of the above exception\n'
        'muscle_mm.utils.errors.UserError: data/tbx is missing.\n'
    )
    assert error_in(log) == 'data/tbx is missing.'
    assert error_in('Traceback\nKeyError: "x"\n') == 'KeyError: "x"'
    assert error_in('Error: no room\n(debug)') == 'no room'
    assert error_in('all went well') is None


@pytest.mark.parametrize(
    ('seconds', 'text'), [(0, '0:00'), (61.4, '1:01'), (3599.6, '1:00:00'), (3725, '1:02:05')]
)
def test_durations(seconds, text):
    assert duration(seconds) == text

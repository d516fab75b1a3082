# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest

from muscle_mm.reporting.labels import INITIALISATION_LABELS, TASK_TITLES
from muscle_mm.reporting.published import PUBLISHED


def test_ten_rows_with_every_task():
    assert list(PUBLISHED) == [
        (backbone, name) for backbone in ('R18', 'R50') for name in INITIALISATION_LABELS
    ]
    assert all(list(tasks) == list(TASK_TITLES) for tasks in PUBLISHED.values())


@pytest.mark.parametrize('row', PUBLISHED)
def test_values_fit_each_other(row):
    for task in ('pneumonia', 'mura'):
        values = PUBLISHED[row][task]
        assert values['binary/auc_ci_low'] < values['binary/auc'] < values['binary/auc_ci_high']
        shares = sorted([values['binary/sensitivity'], values['binary/specificity']])
        assert shares[0] < values['binary/accuracy'] < shares[1]
    boxes = PUBLISHED[row]['tbx']
    mean = (boxes['detection/ap_active'] + boxes['detection/ap_latent']) / 2
    assert boxes['detection/map'] == pytest.approx(mean, abs=0.011)

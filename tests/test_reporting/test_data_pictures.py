# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from muscle_mm.datasets.statistics import DataStatistics, SetStatistics
from muscle_mm.reporting.data_pictures import draw_data


def films(name, count, **labels):
    grey_values = np.zeros(256)
    grey_values[40:60] = count / 20
    return SetStatistics(
        name, grey_values=grey_values, heights=[20] * count, widths=[30] * count, **labels
    )


LABELLED = films('A', 3, classes=('a', 'b'), class_counts=Counter(a=2, b=1))
MASKED = films('M', 1, classes=('background', 'lung'), object_shares=[0.3])


@pytest.mark.parametrize(
    ('sets', 'names'),
    [
        ([LABELLED], ['grey_values.png', 'sizes.png', 'classes.png']),
        ([films('U', 1)], ['grey_values.png', 'sizes.png']),
        ([LABELLED, SetStatistics('none readable'), films('U', 2), MASKED], None),
        ([films(f'set {number}', number + 1) for number in range(9)], None),
    ],
)
def test_pictures_for_any_number_of_sets(sets, names, tmp_path):
    paths = draw_data(DataStatistics(tuple(sets), SetStatistics.together(sets)), tmp_path / 'new')
    assert all(Image.open(path).width > 400 for path in paths)
    assert names is None or [path.name for path in paths] == names

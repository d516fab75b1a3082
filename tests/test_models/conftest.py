# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from copy import deepcopy

import pytest

pytest.importorskip('mmpretrain')

BACKBONE = dict(
    type='mmpretrain.ResNet',
    depth=18,
    base_channels=4,
    stem_channels=4,
    out_indices=(3,),
    style='pytorch',
    init_cfg=dict(type='muscle_mm.BackboneInit', checkpoint=None),
)


@pytest.fixture
def backbone_config():
    """A ResNet-18 with a sixteenth of the channels."""
    return deepcopy(BACKBONE)

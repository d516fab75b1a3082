# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from muscle_mm.phantoms import write_phantoms

SIZE = 40
COUNTS = {
    'NIHCC': 12,
    'ChinaSetCXR': 4,
    'MontgomeryCXR': 4,
    'IndianaCXR': 6,
    'RSNABoneAge': 4,
    'PneumoniaCXR': 16,
    'MURA': 24,
    'ChestXrayMasks': 14,
    'TBX': 10,
}


@pytest.fixture(scope='session')
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All nine sets, a few tiny films each."""
    out = tmp_path_factory.mktemp('phantoms')
    write_phantoms(out, COUNTS, size=SIZE, seed=3, workers=1)
    return out

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The nine public sets, as phantoms."""

import shutil

import pytest

from muscle_mm.datasets.catalogue import PUBLIC_SETS
from muscle_mm.datasets.checking import check_data
from muscle_mm.datasets.preparation import prepare
from muscle_mm.phantoms import write_phantoms

COUNTS = {name: 16 if name == 'PneumoniaCXR' else 10 for name in PUBLIC_SETS}


@pytest.fixture(scope='module')
def sources(tmp_path_factory):
    return write_phantoms(tmp_path_factory.mktemp('phantoms'), COUNTS, size=40, seed=5, workers=1)


def test_nine_sets_are_clean_until_a_film_is_copied(sources, tmp_path):
    for name, source in sources.items():
        prepare(name, source, tmp_path / name, workers=1, progress=False)
    report = check_data([tmp_path], workers=1, progress=False)
    assert len(report.sets) == 9 and report.clean
    assert not report.counts.keys() - {'empty mask'}

    shutil.copytree(sources['ChinaSetCXR'], tmp_path / 'sources/china')
    masks = next(found for found in report.sets if found.name == 'ChestXrayMasks')
    held_out = next(film for film in masks.films if film.split == 'test')
    folder = tmp_path / 'sources/china/ChinaSet_AllFiles/CXR_png'
    shutil.copy(held_out.path, folder / 'CHNCXR_0999_1.png')
    prepare(
        'ChinaSetCXR', tmp_path / 'sources/china', tmp_path / 'ChinaSetCXR', workers=1,
        progress=False,
    )  # fmt: skip
    (leak,) = check_data([tmp_path], workers=1, progress=False).findings
    assert leak.kind == 'leak'
    assert [film.set_name for film in leak.films] == ['ChinaSetCXR', 'ChestXrayMasks']

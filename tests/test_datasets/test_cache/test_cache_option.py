# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0

import pytest


def test_prepares_and_builds(run_here, films):
    status, out, _ = run_here(
        'XrayFolder', '--src', films.source, '--out', films.out, '--cache', 32
    )
    assert status == 0
    assert 'XrayFolder: 6 images' in out
    assert 'cache of 32 pixels: 6 images (6 new), 0.0 MB, ' in out
    assert len(films.read(32)) == 6


def test_builds_the_cache_of_a_prepared_set(run_here, films):
    status, out, _ = run_here('--out', films.out, '--cache', 16)
    assert status == 0
    assert out.startswith('  cache of 16 pixels: 6 images')
    assert films.read(16)['square.png'].shape == (16, 16)


def test_nothing_prepared(run_here, tmp_path):
    status, _, err = run_here('--out', tmp_path, '--cache', 16)
    assert status == 1
    assert 'manifest.json does not exist. Write it: ' in err


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--cache', 0, '--out', 'x'], '--cache 0: the size must be at least 1 pixel'),
        (['--cache', 'large', '--out', 'x'], 'invalid int value'),
        (['--cache', 16], 'NAME, --src and --out are needed'),
        (['XrayFolder', '--out', 'x', '--cache', 16], 'NAME, --src and --out are needed'),
    ],
)
def test_bad_arguments(run_here, arguments, message):
    status, _, err = run_here(*arguments)
    assert status == 2
    assert message in err

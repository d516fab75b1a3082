# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json

import pytest


def test_prepares_and_prints_the_counts(run_here, published, tmp_path):
    out = tmp_path / 'out'
    status, printed, progress = run_here(
        'PneumoniaCXR', '--src', published('PneumoniaCXR'), '--out', out
    )
    assert status == 0
    assert 'PneumoniaCXR: 60 images' in printed
    assert 'DIFFERENT: found 60 of 5,856 published; 5,796 missing' in printed
    assert 'normal 16, pneumonia 32' in printed
    assert '60/60' in progress
    assert len(json.loads((out / 'manifest.json').read_text())['data_list']) == 60


def test_folder_options(run_here, tmp_path, film):
    for name in ('p1_a', 'p1_b', 'p2_a'):
        film(tmp_path / f'source/yes/{name}.png')
        film(tmp_path / f'source/no/{name}.png', 9)
    status, out, _ = run_here(
        'XrayFolder', '--src', tmp_path / 'source', '--out', tmp_path / 'out',
        '--classes', 'no', 'yes', '--patient-pattern', r'p\d', '--set-name', 'Ours',
        '--seed', 3, '--workers', 1,
    )  # fmt: skip
    assert status == 0
    assert 'no 3, yes 3' in out
    content = json.loads((tmp_path / 'out/manifest.json').read_text())
    assert {record['patient_id'] for record in content['data_list']} == {'p1', 'p2'}
    assert content['metainfo']['dataset'] == 'Ours' and content['metainfo']['seed'] == 3


def test_tables_of_splits_and_labels(run_here, tmp_path, film):
    for value, name in enumerate('abcd'):
        film(tmp_path / f'source/{name}.png', value)
    (tmp_path / 'splits.csv').write_text('patient_id,split\na,train\nb,train\nc,val\nd,test\n')
    (tmp_path / 'labels.csv').write_text('img_path,label\na.png,0\nb.png,1\nc.png,0\nd.png,1\n')
    status, out, _ = run_here(
        'XrayFolder', '--src', tmp_path / 'source', '--out', tmp_path / 'out', '--strict',
        '--split-file', tmp_path / 'splits.csv', '--labels', tmp_path / 'labels.csv',
    )  # fmt: skip
    assert status == 0
    assert 'train         2 images  0 1, 1 1' in out


def test_strict_ends_with_1(run_here, tmp_path, film):
    film(tmp_path / 'source/a.png')
    (tmp_path / 'source/bad.png').write_bytes(b'')
    status, out, err = run_here(
        'XrayFolder', '--src', tmp_path / 'source', '--out', tmp_path / 'out', '--strict'
    )
    assert (status, out) == (1, '')
    assert 'Error: XrayFolder: 1 files are rejected' in err
    assert 'bad.png: the file is empty' in err
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == [
        'inspected.jsonl',
        'rejected.csv',
    ]


def test_interrupted_says_how_to_go_on(run_here, tmp_path, film, monkeypatch, work_here):
    from muscle_mm.datasets.preparation import inspection

    def interrupt(path, **options):
        raise KeyboardInterrupt

    work_here('muscle_mm.datasets.preparation.inspect_images')
    monkeypatch.setattr(inspection, 'inspect_xray', interrupt)
    film(tmp_path / 'source/a.png')
    status, _, err = run_here('XrayFolder', '--src', tmp_path / 'source', '--out', tmp_path / 'out')
    assert status == 130
    assert 'run the same command again' in err and 'Traceback' not in err


@pytest.mark.parametrize(
    ('name', 'source', 'message'),
    [
        ('Mura', '.', "Error: data set 'Mura' is unknown. Choose from"),
        ('MURA', 'nowhere', 'Error: the source folder'),
        ('MURA', '.', 'Error: MURA: no image found. Looked for'),
    ],
)
def test_mistake_gives_one_line(run_here, tmp_path, name, source, message):
    (tmp_path / 'source').mkdir()
    status, out, err = run_here(
        name, '--src', tmp_path / 'source' / source, '--out', tmp_path / 'out'
    )
    assert status == 1
    assert out == ''
    assert err.startswith(message) and 'Traceback' not in err


def test_list_names_every_set(run_here):
    from muscle_mm.datasets.catalogue import FOLDER_SETS, PUBLIC_SETS

    status, out, _ = run_here('--list')
    assert status == 0
    for name in (*PUBLIC_SETS, *FOLDER_SETS):
        assert name in out
    assert 'CC BY 4.0' in out and 'detection' in out and 'hand' in out


def test_missing_argument(run_here):
    status, _, err = run_here('MURA')
    assert status == 2
    assert 'NAME, --src and --out are needed' in err

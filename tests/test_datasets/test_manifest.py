# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json
import os

import pytest
from mmengine.dataset import BaseDataset

from muscle_mm.datasets.manifest import MANIFEST_VERSION, read_manifest, safe_join, write_manifest
from muscle_mm.utils.errors import UserError

RECORDS = [
    {'img_path': 'b.png', 'split': 'val', 'gt_label': 1},
    {'split': 'train', 'img_path': 'a/ü \ud800.png', 'gt_label': 0},
]


def test_written_is_read_back_sorted(tmp_path):
    write_manifest(tmp_path / 'm.json', {'task': 'classification'}, RECORDS)
    metainfo, records = read_manifest(tmp_path / 'm.json')
    assert metainfo == {'task': 'classification'}
    assert records == RECORDS[::-1]


def test_order_of_records_and_keys_does_not_change_a_byte(tmp_path):
    write_manifest(tmp_path / '1.json', {'a': 1, 'b': 2}, RECORDS)
    shuffled = [dict(reversed(record.items())) for record in reversed(RECORDS)]
    write_manifest(tmp_path / '2.json', {'b': 2, 'a': 1}, shuffled)
    assert (tmp_path / '1.json').read_bytes() == (tmp_path / '2.json').read_bytes()
    assert len((tmp_path / '1.json').read_bytes().splitlines()) == len(RECORDS) + 5


def test_mmengine_reads_it(tmp_path):
    write_manifest(tmp_path / 'm.json', {'classes': ['x']}, [{'img_path': 'a.png'}])
    dataset = BaseDataset('m.json', data_root=str(tmp_path))
    assert dataset.metainfo['classes'] == ['x']
    assert dataset[0]['img_path'] == os.path.join(tmp_path, 'a.png')


def test_interruption_leaves_the_old_file(tmp_path):
    write_manifest(tmp_path / 'm.json', {}, RECORDS)
    before = (tmp_path / 'm.json').read_bytes()
    with pytest.raises(TypeError):
        write_manifest(tmp_path / 'm.json', {}, [{'img_path': 'a', 'gt_label': object()}])
    assert (tmp_path / 'm.json').read_bytes() == before


def test_not_a_number_is_not_written(tmp_path):
    with pytest.raises(ValueError, match='not JSON compliant'):
        write_manifest(tmp_path / 'm.json', {}, [{'img_path': 'a', 'gt_label': float('nan')}])


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        (None, 'does not exist'),
        ('', 'cannot be read'),
        ('{"metainfo": {}', 'cannot be read'),
        ('[]', 'is not a manifest'),
        ('{"metainfo": {}}', 'is not a manifest'),
        ('{"metainfo": [], "data_list": []}', 'is not a manifest'),
        (
            json.dumps({'metainfo': {'manifest_version': MANIFEST_VERSION + 1}, 'data_list': []}),
            'manifest_version',
        ),
    ],
)
def test_unusable_manifest_is_named(tmp_path, content, reason):
    path = tmp_path / 'manifest.json'
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=reason) as caught:
        read_manifest(path)
    assert str(path) in str(caught.value)
    assert 'prepare_dataset.py' in str(caught.value)


def test_safe_join():
    assert safe_join('/data', 'a/b..c.png', 'here') == os.path.join('/data', 'a', 'b..c.png')


@pytest.mark.parametrize(
    'path',
    [
        '../x.png',
        'a/../../x.png',
        '/etc/passwd',
        'C:/x.png',
        'C:x.png',
        '..\\x.png',
        'a\\..\\..\\x.png',
        '\\x.png',
    ],
)
def test_path_that_leaves_its_folder_is_refused(path):
    with pytest.raises(UserError, match=r'here: the path .* leaves the folder /data'):
        safe_join('/data', path, 'here')


@pytest.mark.parametrize('path', ['', None, 3])
def test_path_that_is_none_is_refused(path):
    with pytest.raises(UserError, match='here: expected a relative path'):
        safe_join('/data', path, 'here')

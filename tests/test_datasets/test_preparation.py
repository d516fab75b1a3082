# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import csv
import hashlib
import json
import multiprocessing
import os
import shutil
from collections import defaultdict

import numpy as np
import pytest
from PIL import Image

from muscle_mm.datasets.catalogue import PUBLIC_SETS
from muscle_mm.datasets.preparation import inspection, prepare
from muscle_mm.utils.errors import UserError


def run(name, source, out, **options):
    return prepare(name, source, out, progress=False, **options)


def rejected(out):
    with open(out / 'rejected.csv', newline='', encoding='utf-8') as file:
        return {row['path']: row['reason'] for row in csv.DictReader(file)}


def tree(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }


@pytest.mark.parametrize('name', PUBLIC_SETS)
def test_manifest_of_a_public_set(name, published, tmp_path):
    source, out = published(name), tmp_path / 'out'
    before = tree(source)
    summary = run(name, source, out)
    assert (out / 'summary.txt').read_text() == f'{summary}\n'
    content = json.loads((out / 'manifest.json').read_text())
    cls = PUBLIC_SETS[name]
    metainfo = content['metainfo']
    assert metainfo['dataset'] == name
    assert metainfo['task'] == cls.METAINFO['task']
    assert metainfo.get('classes') == (list(cls.METAINFO.get('classes', ())) or None)
    for record in content['data_list']:
        path = out / metainfo['source_root'] / record['img_path']
        assert record['sha256'] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert (record['height'], record['width']) == (12, 10)
        assert not {'problem', 'stratum', 'masks'} & set(record)
    assert summary.images == len(content['data_list'])
    assert summary.rejected == 0 and rejected(out) == {}
    assert tree(source) == before
    assert sum(summary.split_counts.values()) == summary.images
    if cls.METAINFO['task'] == 'none':
        assert summary.split_counts == {'train': summary.images, 'val': 0, 'test': 0}
    else:
        assert all(summary.split_counts.values())


@pytest.mark.parametrize('name', ['PneumoniaCXR', 'MURA', 'ChestXrayMasks', 'TBX'])
@pytest.mark.parametrize('official', [False, True])
def test_no_patient_is_in_two_splits(name, official, published, tmp_path):
    if official and name == 'ChestXrayMasks':
        pytest.skip('the set has no official split')
    summary = run(name, published(name), tmp_path / 'out', official_split=official)
    splits = defaultdict(set)
    for record in summary.records:
        splits[record['patient_id']].add(record['split'])
    assert all(len(found) == 1 for found in splits.values())
    assert summary.patients_in_several_splits == 0


@pytest.mark.parametrize('name', ['PneumoniaCXR', 'ChestXrayMasks', 'TBX'])
def test_same_bytes_twice_and_with_any_number_of_processes(name, published, tmp_path):
    source = published(name)
    folder = source / {'PneumoniaCXR': 'chest_xray/train', 'TBX': 'TBX11K/imgs'}.get(name, '')
    for path in sorted(folder.rglob('*.*g'))[::9]:
        path.write_bytes(path.read_bytes()[:40])
    trees = []
    for workers in (1, 2, 3, 3):
        run(name, source, tmp_path / 'out', workers=workers)
        trees.append(tree(tmp_path / 'out'))
        if len(trees) < 3:
            # The fourth run goes by what the third has written down.
            (tmp_path / 'out/inspected.jsonl').unlink()
    for found in trees:
        found.pop('inspected.jsonl')
    assert trees[0] == trees[1] == trees[2] == trees[3]
    assert len(rejected(tmp_path / 'out')) > 1


@pytest.mark.skipif(
    multiprocessing.get_start_method() != 'fork', reason='the change reaches forked processes only'
)
@pytest.mark.parametrize('others', [0, 1, 70])
def test_film_that_ends_its_process_is_rejected_each_time(others, tmp_path, film, monkeypatch):
    inspect_xray = inspection.inspect_xray

    def end(path, **options):
        if path.name == 'bad.png':
            os._exit(1)
        return inspect_xray(path, **options)

    monkeypatch.setattr(inspection, 'inspect_xray', end)
    source, out = tmp_path / 'source', tmp_path / 'out'
    film(source / 'bad.png')
    for value in range(others):
        film(source / f'{value}.png', value)
    # The second time, it is the only film left to read.
    for _ in range(2):
        if others:
            assert run('XrayFolder', source, out).images == others
        else:
            with pytest.raises(UserError, match=r'none of the images .* bad\.png: reading it ends'):
                run('XrayFolder', source, out)
        assert list(rejected(out)) == ['bad.png']
        assert 'reading it ends the process' in rejected(out)['bad.png']


def test_source_and_output_can_move_together(published, tmp_path):
    run('MURA', published('MURA'), tmp_path / 'data/mura')
    first = (tmp_path / 'data/mura/manifest.json').read_bytes()
    moved = tmp_path / 'elsewhere'
    moved.mkdir()
    shutil.move(tmp_path / 'published', moved / 'published')
    run('MURA', moved / 'published/MURA', moved / 'data/mura')
    assert (moved / 'data/mura/manifest.json').read_bytes() == first


def test_official_split_takes_validation_from_training(published, tmp_path):
    summary = run('MURA', published('MURA'), tmp_path / 'out', official_split=True)
    folder = {'test': {'valid'}, 'train': {'train'}, 'val': {'train'}}
    for record in summary.records:
        assert record['img_path'].split('/')[1] in folder[record['split']]
    assert summary.split_counts['test'] == 8
    assert summary.split_counts['val'] > 0


def test_official_split_that_is_complete_is_kept(tmp_path, film):
    source = tmp_path / 'source'
    for split in ('train', 'val', 'test'):
        for label in ('no', 'yes'):
            film(source / split / label / f'{split}{label}.png')
    summary = run('XrayFolder', source, tmp_path / 'out')
    for record in summary.records:
        assert record['split'] == record['img_path'].split('/')[0]
    assert summary.class_counts['val'] == {'no': 1, 'yes': 1}


def test_official_split_with_a_patient_in_two_splits_is_warned_about(published, tmp_path, film):
    source = published('PneumoniaCXR')
    film(source / 'chest_xray/test/PNEUMONIA/person1_virus_999.jpeg', 200)
    summary = run('PneumoniaCXR', source, tmp_path / 'out', official_split=True)
    assert summary.patients_in_several_splits == 1
    assert 'WARNING: 1 patients are in more than one split' in str(summary)


def test_official_split_that_does_not_exist(published, tmp_path):
    with pytest.raises(UserError, match='ChestXrayMasks: the source has no official split'):
        run('ChestXrayMasks', published('ChestXrayMasks'), tmp_path / 'out', official_split=True)


def test_unusable_files_are_listed_with_the_reason_and_nothing_else_is_lost(published, tmp_path):
    source, out = published('PneumoniaCXR'), tmp_path / 'out'
    folder = source / 'chest_xray/train/PNEUMONIA'
    (folder / 'person1_virus_4.jpeg').write_bytes(b'')
    (folder / 'person2_virus_7.jpeg').write_text('no picture')
    summary = run('PneumoniaCXR', source, out)
    assert summary.images == 58 and summary.rejected == 2
    reasons = rejected(out)
    assert 'empty' in reasons['chest_xray/train/PNEUMONIA/person1_virus_4.jpeg']
    assert 'not a PNG' in reasons['chest_xray/train/PNEUMONIA/person2_virus_7.jpeg']
    assert '2 files not used' in str(summary)


def test_nothing_usable(tmp_path):
    source = tmp_path / 'source'
    source.mkdir()
    (source / 'a.png').write_bytes(b'')
    with pytest.raises(UserError, match=r'none of the images .* a\.png: the file is empty'):
        run('XrayFolder', source, tmp_path / 'out')
    assert rejected(tmp_path / 'out')


def test_masks_are_written_as_0_and_255(tmp_path, film):
    source = tmp_path / 'source'
    half = np.zeros((12, 10), np.uint8)
    half[:6] = 1
    kinds = {
        'one': Image.fromarray(half),
        'full': Image.fromarray(half * 255),
        'soft': Image.fromarray(half * 200 + 30),
        'bits': Image.fromarray(half * 255).convert('1'),
        'colour': Image.fromarray(half * 255).convert('RGB'),
        'empty': Image.fromarray(half * 0),
    }
    (source / 'masks').mkdir(parents=True)
    for value, (name, picture) in enumerate(kinds.items()):
        film(source / f'images/{name}.png', value)
        picture.save(source / f'masks/{name}.png')
    summary = run('XrayMaskFolder', source, tmp_path / 'out')
    for record in summary.records:
        written = Image.open(tmp_path / 'out' / record['seg_map_path'])
        expected = half * 0 if 'empty' in record['img_path'] else half * 255
        assert written.mode == 'L'
        np.testing.assert_array_equal(np.asarray(written), expected)


def test_mask_of_another_size_is_rejected(tmp_path, film, mask):
    source = tmp_path / 'source'
    for name in ('a', 'b'):
        film(source / f'images/{name}.png')
        mask(source / f'masks/{name}.png', size=(12, 10) if name == 'a' else (9, 8))
    run('XrayMaskFolder', source, tmp_path / 'out')
    assert rejected(tmp_path / 'out') == {
        'images/b.png': 'mask masks/b.png has 8 x 9 pixels, the image 10 x 12'
    }


@pytest.mark.parametrize(
    ('box', 'reason'),
    [
        ((1, 2, 2, 0, 4), 'is empty'),
        ((1, 2, 2, 3, -4), 'is empty'),
        ((1, 50, 2, 3, 4), 'outside the image of 10 x 12'),
        ((1, float('nan'), 2, 3, 4), 'not four finite numbers'),
    ],
)
def test_bad_box_is_rejected(tmp_path, film, coco, box, reason):
    source = tmp_path / 'source'
    for name in ('a.png', 'b.png'):
        film(source / 'images' / name)
    coco(source / 'annotations.json', ['x'], {'a.png': [(1, 1, 1, 2, 2)], 'b.png': [box]})
    summary = run('XrayBoxFolder', source, tmp_path / 'out')
    assert summary.images == 1
    assert reason in rejected(tmp_path / 'out')['images/b.png']


def test_boxes_drawn_on_another_size_of_a_published_film_are_rejected(published, tmp_path):
    source = published('TBX')
    path = source / 'TBX11K/annotations/json/TBX11K_train.json'
    content = json.loads(path.read_text())
    for image in content['images']:
        image |= {'width': 10, 'height': 12}
    content['images'][-1] |= {'width': 1000, 'height': 1200}
    path.write_text(json.dumps(content))
    summary = run('TBX', source, tmp_path / 'out')
    assert rejected(tmp_path / 'out') == {
        'TBX11K/imgs/tb/tb0016.png': 'annotated at 1000 x 1200 pixels, the film has 10 x 12'
    }
    assert summary.images == 19
    assert 'annotated_size' not in (tmp_path / 'out/manifest.json').read_text()


def test_missing_source(tmp_path):
    with pytest.raises(UserError, match=r'source folder .*nowhere \(--src\) does not exist'):
        run('MURA', tmp_path / 'nowhere', tmp_path / 'out')


def test_output_inside_the_source(published):
    source = published('MURA')
    with pytest.raises(UserError, match='inside the source'):
        run('MURA', source, source / 'out')
    assert not (source / 'out').exists()


def test_output_that_is_a_file(published, tmp_path):
    (tmp_path / 'out').write_text('')
    with pytest.raises(UserError, match='is a file, expected a folder'):
        run('MURA', published('MURA'), tmp_path / 'out')


def test_option_that_a_public_set_does_not_take(published, tmp_path):
    with pytest.raises(UserError, match='MURA takes no option classes'):
        run('MURA', published('MURA'), tmp_path / 'out', classes=['a', 'b'])


def test_workers_must_be_positive(published, tmp_path):
    with pytest.raises(UserError, match='workers=0'):
        run('MURA', published('MURA'), tmp_path / 'out', workers=0)


def test_name_of_a_folder_set(tmp_path, film):
    film(tmp_path / 'source/a.png')
    run('XrayFolder', tmp_path / 'source', tmp_path / 'data/own')
    metainfo = json.loads((tmp_path / 'data/own/manifest.json').read_text())['metainfo']
    assert (metainfo['dataset'], metainfo['layout']) == ('own', 'XrayFolder')
    run('XrayFolder', tmp_path / 'source', tmp_path / 'data/own', set_name='Ours')
    metainfo = json.loads((tmp_path / 'data/own/manifest.json').read_text())['metainfo']
    assert metainfo['dataset'] == 'Ours'


def test_copies_are_counted(tmp_path, film):
    for name in ('a', 'b', 'c'):
        film(tmp_path / f'source/{name}.png')
    summary = run('XrayFolder', tmp_path / 'source', tmp_path / 'out')
    assert summary.byte_equal_copies == 2
    assert '2 files are byte-equal copies' in str(summary)


def test_odd_names(tmp_path, film):
    names = ['ü é.png', 'a,b "c".png', 'x' * 200 + '.png', 'tab\there.png']
    for value, name in enumerate(names):
        film(tmp_path / 'source' / name, value)
    (tmp_path / 'source/zero, "quoted".png').write_bytes(b'')
    summary = run('XrayFolder', tmp_path / 'source', tmp_path / 'out')
    assert sorted(record['img_path'] for record in summary.records) == sorted(names)
    assert list(rejected(tmp_path / 'out')) == ['zero, "quoted".png']


@pytest.mark.skipif(os.name == 'nt' or os.geteuid() == 0, reason='root may read every file')
def test_file_without_permission_is_rejected(tmp_path, film):
    film(tmp_path / 'source/a.png')
    film(tmp_path / 'source/b.png').chmod(0)
    run('XrayFolder', tmp_path / 'source', tmp_path / 'out')
    assert 'Permission denied' in rejected(tmp_path / 'out')['b.png']


def test_masks_are_not_written_into_the_source(tmp_path, film):
    source = tmp_path / 'out/masks'
    film(source / 'images/a.png')
    with pytest.raises(UserError, match=r'out/masks .* lies inside the source'):
        run('XrayMaskFolder', source, tmp_path / 'out')

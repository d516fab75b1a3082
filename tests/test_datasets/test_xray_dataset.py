# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from muscle_mm.datasets import (
    MURA,
    NIHCC,
    TBX,
    ChestXrayMasks,
    MultiXrayDataset,
    PneumoniaCXR,
    XrayBoxFolder,
    XrayDataset,
)
from muscle_mm.datasets.preparation import prepare
from muscle_mm.registry import DATASETS
from muscle_mm.utils.errors import UserError

SPLITS = ('train', 'val', 'test')


def edit(out, change):
    """Change the manifest of a prepared set."""
    path = out / 'manifest.json'
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_classification_sample(prepared):
    dataset = PneumoniaCXR(data_root=prepared('PneumoniaCXR'), split='train')
    sample = dataset[3]
    assert os.path.isabs(sample['img_path']) and os.path.isfile(sample['img_path'])
    assert sample['gt_label'] == int('PNEUMONIA' in sample['img_path'])
    assert (sample['dataset'], sample['sample_idx'], sample['img_id']) == ('PneumoniaCXR', 3, 3)
    assert (sample['height'], sample['width']) == (12, 10)
    assert sample['patient_id'] in sample['img_path']
    assert dataset.metainfo['classes'] == ('normal', 'pneumonia')
    assert dataset.get_cat_ids(3) == [sample['gt_label']]


def test_segmentation_sample(prepared):
    dataset = ChestXrayMasks(data_root=prepared('ChestXrayMasks'))
    sample = dataset[0]
    assert os.path.isabs(sample['seg_map_path']) and os.path.isfile(sample['seg_map_path'])
    assert sample['label_map'] == {255: 1}
    assert sample['reduce_zero_label'] is False
    assert sample['seg_fields'] == []
    assert dataset.metainfo['classes'] == ('background', 'lung')
    assert len(dataset.metainfo['palette']) == 2


def test_detection_sample(prepared):
    dataset = TBX(data_root=prepared('TBX'), split='val')
    sample = dataset[0]
    assert sample['instances'][0].keys() == {'bbox', 'bbox_label', 'ignore_flag'}
    assert dataset.metainfo['classes'] == ('active', 'latent')
    assert dataset.get_cat_ids(0) == [box['bbox_label'] for box in sample['instances']]


def test_splits_add_up(prepared):
    root = prepared('MURA')
    paths = [{s['img_path'] for s in MURA(data_root=root, split=split)} for split in SPLITS]
    assert not (paths[0] & paths[1] or paths[0] & paths[2] or paths[1] & paths[2])
    assert sum(map(len, paths)) == len(MURA(data_root=root)) == 40


def test_labels_can_be_hidden(prepared):
    sample = TBX(data_root=prepared('TBX'), split='train', with_labels=False)[0]
    assert 'instances' not in sample
    sample = ChestXrayMasks(data_root=prepared('ChestXrayMasks'), with_labels=False)[0]
    assert 'seg_map_path' not in sample
    sample = MURA(data_root=prepared('MURA'), with_labels=False)[0]
    assert 'gt_label' not in sample


def test_indices(prepared):
    root = prepared('MURA')
    assert len(MURA(data_root=root, indices=5)) == 5
    assert MURA(data_root=root, indices=[7])[0]['img_path'] == MURA(data_root=root)[7]['img_path']


def test_built_by_scope_alone(prepared):
    config = {'type': 'muscle_mm.MURA', 'data_root': str(prepared('MURA')), 'split': 'val'}
    assert isinstance(DATASETS.build(config), MURA)


def test_manifest_may_lie_below_data_root(prepared):
    root = prepared('MURA')
    dataset = MURA(data_root=root.parent, ann_file='MURA/manifest.json')
    assert os.path.isfile(dataset[0]['img_path'])


def test_reached_through_a_link(prepared, tmp_path):
    root = prepared('ChestXrayMasks')
    (tmp_path / 'deep/er').mkdir(parents=True)
    (tmp_path / 'deep/er/link').symlink_to(root, target_is_directory=True)
    sample = ChestXrayMasks(data_root=tmp_path / 'deep/er/link')[0]
    assert os.path.isfile(sample['img_path']) and os.path.isfile(sample['seg_map_path'])


def test_relative_data_root(prepared, monkeypatch):
    root = prepared('MURA')
    monkeypatch.chdir(root.parent)
    dataset = MURA(data_root='MURA')
    monkeypatch.chdir('/')
    assert os.path.isfile(dataset[0]['img_path'])


def test_moved_source(prepared, tmp_path):
    root = prepared('MURA')
    shutil.move(tmp_path / 'published/MURA', tmp_path / 'moved')
    with pytest.raises(UserError, match=r"images' folder '.*published.MURA' does not exist"):
        MURA(data_root=root)
    dataset = MURA(data_root=root, source_root=str(tmp_path / 'moved'))
    assert os.path.isfile(dataset[0]['img_path'])


def test_another_set_stands_in_and_keeps_its_classes(tmp_path, film, coco):
    film(tmp_path / 'source/images/a.png')
    coco(tmp_path / 'source/annotations.json', ['right', 'left'], {'a.png': [(2, 0, 0, 3, 3)]})
    prepare('XrayBoxFolder', tmp_path / 'source', tmp_path / 'out', progress=False)
    for cls in (XrayBoxFolder, XrayDataset, TBX):
        dataset = cls(data_root=tmp_path / 'out')
        assert dataset.metainfo['classes'] == ('right', 'left')
        assert dataset[0]['dataset'] == 'out'
    named = TBX(data_root=tmp_path / 'out', metainfo={'classes': ('one', 'two')})
    assert named.metainfo['classes'] == ('one', 'two')


def test_images_without_boxes(tmp_path, film, coco):
    for value, name in enumerate('abc'):
        film(tmp_path / f'source/images/{name}.png', value, size=(12, 10 + value))
    boxes = {'a.png': [(1, 0, 0, 3, 3)], 'b.png': [], 'c.png': []}
    coco(tmp_path / 'source/annotations.json', ['x'], boxes)
    summary = prepare('XrayBoxFolder', tmp_path / 'source', tmp_path / 'out', progress=False)
    assert summary.images == 3

    def size(**options):
        return len(XrayBoxFolder(data_root=tmp_path / 'out', **options))

    assert size() == 1
    assert size(with_labels=False) == 3
    assert size(filter_cfg={'filter_empty_gt': False}) == 3
    assert size(filter_cfg={'filter_empty_gt': False, 'min_size': 11}) == 2
    with pytest.raises(UserError, match=r'no image of .* is left after filtering'):
        size(filter_cfg={'min_size': 100})
    # Step 1 learns from them as from any other.
    config = dict(type='muscle_mm.XrayBoxFolder', data_root=tmp_path / 'out')
    assert len(MultiXrayDataset([config])) == 3
    assert len(MultiXrayDataset([{**config, 'with_labels': True}])) == 1
    # A detector is tested on films without findings, too.
    assert size(test_mode=True) == 3
    assert size(test_mode=True, filter_cfg={'min_size': 11}) == 3


def exclude(root, names):
    """Write a list of images to leave out beside the manifest."""
    rows = [f'{name},a reason' for name in names]
    (root / 'exclusions.csv').write_text('\n'.join(['img_path,reason', *rows]))


def test_exclusions_are_left_out(prepared):
    root = prepared('MURA')
    names = [
        Path(sample['img_path']).relative_to(root.parents[1] / 'published/MURA').as_posix()
        for sample in MURA(data_root=root, split='train')
    ]
    exclude(root, names[:3])
    dataset = MURA(data_root=root, split='train')
    assert len(dataset) == len(names) - 3
    assert not any(sample['img_path'].endswith(tuple(names[:3])) for sample in dataset)
    assert [sample['img_id'] for sample in dataset] == list(range(len(dataset)))
    assert len(MURA(data_root=root)) == 37
    assert len(MURA(data_root=root, split='train', exclude=False)) == len(names)


def test_exclusions_are_logged_once(prepared, caplog):
    from mmengine.logging import MMLogger

    root = prepared('NIHCC')
    exclude(root, ['images_001/images/00000001_000.png'])
    logger = MMLogger.get_instance('exclusions')
    logger.addHandler(caplog.handler)
    try:
        dataset = NIHCC(data_root=root, split='train')
        dataset.full_init()
        assert len(list(dataset)) == 5
    finally:
        logger.removeHandler(caplog.handler)
    said = [message for message in caplog.messages if 'left out' in message]
    assert len(said) == 1
    assert "NIHCC: 1 images of split 'train' left out, named in" in said[0]


def test_exclusions_that_do_not_fit(prepared):
    root = prepared('NIHCC')
    exclude(root, ['images_001/images/00000001_000.png', 'elsewhere.png'])
    with pytest.raises(UserError, match=r"exclusions\.csv, line 3: the image 'elsewhere\.png'"):
        NIHCC(data_root=root)
    assert len(NIHCC(data_root=root, exclude=False)) == 6


def test_exclusions_that_leave_nothing(prepared):
    root = prepared('NIHCC')
    records = json.loads((root / 'manifest.json').read_text())['data_list']
    exclude(root, [record['img_path'] for record in records])
    with pytest.raises(UserError, match=r'images there: none; exclusions\.csv leaves out 6'):
        NIHCC(data_root=root, split='train')


def test_missing_data_folder_names_the_command(tmp_path):
    with pytest.raises(UserError) as caught:
        MURA(data_root=tmp_path / 'mura')
    message = str(caught.value)
    assert message.startswith(f"MURA: the data folder '{tmp_path}/mura' (data_root) does not exist")
    assert 'python tools/prepare_dataset.py MURA --src DIR --out' in message


def test_missing_manifest(tmp_path):
    with pytest.raises(UserError, match=r'manifest .*manifest\.json does not exist'):
        MURA(data_root=tmp_path)


def test_unknown_split():
    with pytest.raises(UserError, match=r"MURA: split='valid' is unknown. Choose from"):
        MURA(data_root='x', split='valid')


def test_unknown_filter():
    with pytest.raises(UserError, match="filter_cfg has the unknown key 'min_side'"):
        MURA(data_root='x', filter_cfg={'min_side': 3})


def test_empty_split_and_empty_set(prepared):
    root = prepared('NIHCC')
    with pytest.raises(UserError, match=r"NIHCC: split 'val' is empty in .*images there: train 6"):
        NIHCC(data_root=root, split='val')
    edit(root, lambda content: content['data_list'].clear())
    with pytest.raises(UserError, match=r'NIHCC: the data set is empty in .*images there: none'):
        NIHCC(data_root=root)


def test_path_that_leaves_the_source(prepared):
    root = prepared('MURA')
    edit(root, lambda content: content['data_list'][0].update(img_path='../../secret.png'))
    with pytest.raises(UserError, match=r'manifest\.json, image .*secret.* leaves the folder'):
        MURA(data_root=root)


def test_manifest_of_another_task(prepared):
    root = prepared('PneumoniaCXR')
    with pytest.raises(UserError, match=r'TBX is a detection set, but .* for classification'):
        TBX(data_root=root)
    assert len(NIHCC(data_root=root)) == 60  # step 1 takes any film


def test_base_class_has_no_layout(tmp_path):
    with pytest.raises(UserError, match='XrayDataset has no layout of its own'):
        XrayDataset.scan(tmp_path)


def test_needs_neither_mmcv_nor_a_toolbox():
    code = (
        'import sys\n'
        'for name in ("mmcv", "mmpretrain", "mmseg", "mmdet", "pydicom"):\n'
        '    sys.modules[name] = None\n'
        'from muscle_mm.datasets.xray_dataset import XrayDataset\n'
        'from muscle_mm.datasets.catalogue import PUBLIC_SETS\n'
    )
    subprocess.run([sys.executable, '-c', code], check=True)

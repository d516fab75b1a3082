# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Known copies of the nine sets, whose folders and files have other names."""

import shutil

import pytest

from muscle_mm.datasets import ChestXrayMasks
from muscle_mm.datasets.catalogue import PUBLIC_SETS
from muscle_mm.datasets.preparation import prepare

#: Set, folder as its publisher has it, and folder in the copy.
MOVED = [
    ('ChinaSetCXR', 'ChinaSet_AllFiles', 'ChinaSet_AllFiles/ChinaSet_AllFiles'),
    ('ChinaSetCXR', 'ChinaSet_AllFiles', 'Shenzhen-Hospital-CXR-Set'),
    ('MontgomeryCXR', 'MontgomerySet', 'NLM-MontgomeryCXRSet/MontgomerySet'),
    ('MontgomeryCXR', 'MontgomerySet', 'Montgomery/MontgomerySet'),
    ('IndianaCXR', 'NLMCXR_png', '.'),
    (
        'RSNABoneAge',
        'boneage-training-dataset',
        'boneage-training-dataset/boneage-training-dataset',
    ),
    ('RSNABoneAge', 'boneage-training-dataset', 'Bone Age Training Set/boneage-training-dataset'),
    ('PneumoniaCXR', 'chest_xray', 'CellData/chest_xray'),
    ('PneumoniaCXR', 'chest_xray', 'ZhangLabData/CellData/chest_xray'),
    ('PneumoniaCXR', 'chest_xray', 'chest_xray/chest_xray'),
    ('PneumoniaCXR', 'chest_xray', '.'),
    ('MURA', 'MURA-v1.1', '.'),
    ('ChestXrayMasks', 'Lung Segmentation', 'data/Lung Segmentation'),
    ('TBX', 'TBX11K', 'TBX11K/TBX11K'),
    ('TBX', 'TBX11K', '.'),
]


def facts(records):
    """What is known of each image, but for its path and those of its masks."""
    return sorted(
        (record['img_path'].split('/')[-1], record['patient_id'], str(record.get('gt_label')))
        for record in records
    )


@pytest.mark.parametrize(('name', 'here', 'there'), MOVED)
def test_copy_is_read_like_the_original(name, here, there, published, tmp_path):
    source = published(name)
    cls = PUBLIC_SETS[name]
    expected = facts(cls.scan(source))
    copy = tmp_path / 'copy'
    shutil.copytree(source / here, copy / there, dirs_exist_ok=True)
    for table in source.glob('*.csv'):
        shutil.copy(table, copy)
    records = list(cls.scan(copy))
    assert not [record for record in records if 'problem' in record]
    assert facts(records) == expected
    assert all((copy / record['img_path']).is_file() for record in records)


def test_nihcc_unpacked_into_one_folder(published, tmp_path):
    source = published('NIHCC')
    copy = tmp_path / 'copy'
    for folder in ('images_001', 'images_002'):
        shutil.copytree(source / folder / 'images', copy / 'images', dirs_exist_ok=True)
    shutil.copy(source / 'Data_Entry_2017_v2020.csv', copy / 'Data_Entry_2017.csv')
    records = list(PUBLIC_SETS['NIHCC'].scan(copy))
    assert facts(records) == facts(PUBLIC_SETS['NIHCC'].scan(source))
    (copy / 'images/00000001_000.png').unlink()
    assert [record['problem'] for record in PUBLIC_SETS['NIHCC'].scan(copy) if 'problem' in record]


def test_bone_age_table_of_the_later_release(published):
    source = published('RSNABoneAge')
    (source / 'boneage-training-dataset.csv').rename(source / 'train.csv')
    (source / 'boneage-training-dataset/1378.png').unlink()
    problems = [record.get('problem') for record in PUBLIC_SETS['RSNABoneAge'].scan(source)]
    assert problems == [None, None, 'listed in train.csv, but it is missing']


def test_indiana_copy_with_shorter_names(tmp_path, film):
    for name in ('1_IM-0001-3001.dcm.png', '1_IM-0001-4001.dcm.png', '22_IM-0001-1001.dcm.png'):
        film(tmp_path / 'images/images_normalized' / name)
    (tmp_path / 'indiana_projections.csv').write_text(
        'uid,filename,projection\n1,1_IM-0001-3001.dcm.png,Frontal\n7,7_IM-1.dcm.png,Lateral\n'
    )
    records = list(PUBLIC_SETS['IndianaCXR'].scan(tmp_path))
    assert [record.get('patient_id') for record in records] == ['CXR1', 'CXR1', 'CXR22', None]
    assert records[-1] == {
        'img_path': 'images/images_normalized/7_IM-1.dcm.png',
        'problem': 'listed in indiana_projections.csv, but it is missing',
    }


def test_pneumonia_archive_that_holds_the_set_twice(published):
    source = published('PneumoniaCXR')
    shutil.copytree(source / 'chest_xray', source.parent / 'inner')
    shutil.move(source.parent / 'inner', source / 'chest_xray/chest_xray')
    records = list(PUBLIC_SETS['PneumoniaCXR'].scan(source))
    assert len(records) == 60
    assert not [record for record in records if 'chest_xray/chest_xray' in record['img_path']]


@pytest.fixture
def lungs_of_the_publishers(tmp_path, film, mask):
    """Montgomery's set with a mask for each lung, Shenzhen's with its authors' masks."""
    for i in range(6):
        montgomery = tmp_path / 'MontgomerySet'
        film(montgomery / f'CXR_png/MCUCXR_{i:04}_{i % 2}.png', i)
        for side in ('leftMask', 'rightMask'):
            mask(montgomery / f'ManualMask/{side}/MCUCXR_{i:04}_{i % 2}.png')
        film(tmp_path / f'ChinaSet_AllFiles/CXR_png/CHNCXR_{i:04}_{i % 2}.png', i + 50)
        mask(tmp_path / f'mask/mask/CHNCXR_{i:04}_{i % 2}_mask.png')
    return tmp_path


def test_left_and_right_masks_are_joined(lungs_of_the_publishers):
    records = list(ChestXrayMasks.scan(lungs_of_the_publishers))
    assert len(records) == 12
    masks = {record['img_path'].split('/')[-1]: record['masks'] for record in records}
    assert masks['MCUCXR_0001_1.png'] == [
        'MontgomerySet/ManualMask/leftMask/MCUCXR_0001_1.png',
        'MontgomerySet/ManualMask/rightMask/MCUCXR_0001_1.png',
    ]
    assert masks['CHNCXR_0001_1.png'] == ['mask/mask/CHNCXR_0001_1_mask.png']
    out = lungs_of_the_publishers.parent / 'out'
    assert prepare('ChestXrayMasks', lungs_of_the_publishers, out, progress=False).images == 12


def test_missing_and_one_sided_masks(lungs_of_the_publishers):
    manual = lungs_of_the_publishers / 'MontgomerySet/ManualMask'
    (manual / 'leftMask/MCUCXR_0000_0.png').unlink()
    (manual / 'rightMask/MCUCXR_0001_1.png').unlink()
    for side in ('leftMask', 'rightMask'):
        (manual / side / 'MCUCXR_0002_0.png').unlink()
    (lungs_of_the_publishers / 'mask/mask/CHNCXR_0003_1_mask.png').unlink()
    (lungs_of_the_publishers / 'MontgomerySet/CXR_png/MCUCXR_0005_1.png').unlink()
    found = {
        record['img_path']: record['problem']
        for record in ChestXrayMasks.scan(lungs_of_the_publishers)
        if 'problem' in record
    }
    films, masks = 'MontgomerySet/CXR_png', 'MontgomerySet/ManualMask'
    assert found == {
        f'{films}/MCUCXR_0000_0.png': 'has a mask in rightMask/, but none in leftMask/',
        f'{films}/MCUCXR_0001_1.png': 'has a mask in leftMask/, but none in rightMask/',
        f'{films}/MCUCXR_0002_0.png': 'no mask of this name',
        'ChinaSet_AllFiles/CXR_png/CHNCXR_0003_1.png': 'no mask of this name',
        f'{masks}/leftMask/MCUCXR_0005_1.png': 'a mask without its film',
        f'{masks}/rightMask/MCUCXR_0005_1.png': 'a mask without its film',
    }


def test_montgomery_masks_beside_the_copy_of_both_sets(lungs_of_the_publishers, film, mask):
    root = lungs_of_the_publishers / 'Lung Segmentation'
    film(root / 'CXR_png/MCUCXR_0001_1.png')
    film(root / 'CXR_png/MCUCXR_0002_0.png', 1)
    mask(root / 'masks/MCUCXR_0002_0.png')
    records = [
        record for record in ChestXrayMasks.scan(lungs_of_the_publishers) if 'problem' not in record
    ]
    assert [len(record['masks']) for record in records] == [2, 1]


@pytest.mark.parametrize('name', ['/etc/passwd', '../../secret', 'a//b', ''])
@pytest.mark.parametrize('table', ['NIHCC', 'RSNABoneAge', 'MURA', 'TBX', 'IndianaCXR'])
def test_names_in_tables_that_lead_nowhere(table, name, published, tmp_path):
    source = published(table)
    if table == 'NIHCC':
        (source / 'test_list.txt').write_text(f'{name}\n')
    elif table == 'RSNABoneAge':
        with open(source / 'boneage-training-dataset.csv', 'a') as file:
            file.write(f'{name},94,True\n')
    elif table == 'MURA':
        with open(source / 'MURA-v1.1/valid_image_paths.csv', 'a') as file:
            file.write(f'\nMURA-v1.1/{name}\n')
    elif table == 'TBX':
        path = source / 'TBX11K/annotations/json/TBX11K_train.json'
        path.write_text(path.read_text().replace('tb/tb0001.png', name))
    else:
        (source / 'ecgen-radiology').mkdir()
        (source / 'ecgen-radiology/1.xml').write_text(f'<parentImage id="{name}">')
    before = len(list(PUBLIC_SETS[table].scan(source)))
    summary = prepare(table, source, tmp_path / 'out', progress=False)
    assert summary.images >= 1
    assert summary.images + summary.rejected >= before

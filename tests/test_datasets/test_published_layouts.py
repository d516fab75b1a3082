# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from collections import Counter

import pytest

from muscle_mm.datasets import (
    MURA,
    NIHCC,
    TBX,
    ChestXrayMasks,
    ChinaSetCXR,
    IndianaCXR,
    MontgomeryCXR,
    PneumoniaCXR,
    RSNABoneAge,
)
from muscle_mm.datasets.catalogue import PUBLIC_SETS, find_set
from muscle_mm.registry import DATASETS
from muscle_mm.utils.errors import UserError


def scan(cls, source):
    return list(cls.scan(source))


def problems(records):
    return {record['img_path']: record['problem'] for record in records if 'problem' in record}


@pytest.mark.parametrize('name', PUBLIC_SETS)
def test_every_record_names_an_image_and_a_patient(name, published):
    source = published(name)
    records = scan(PUBLIC_SETS[name], source)
    assert records and not problems(records)
    for record in records:
        assert (source / record['img_path']).is_file()
        assert record['patient_id']
    assert len({record['img_path'] for record in records}) == len(records)


@pytest.mark.parametrize('name', PUBLIC_SETS)
def test_wrong_folder_says_where_it_looked(name, tmp_path):
    with pytest.raises(UserError, match=f'{name}: no image found. Looked for {tmp_path}'):
        scan(PUBLIC_SETS[name], tmp_path)


@pytest.mark.parametrize('name', PUBLIC_SETS)
def test_set_is_registered_and_described(name):
    cls = DATASETS.get(f'muscle_mm.{name}')
    assert cls is find_set(name)
    info = cls.METAINFO
    assert info['dataset'] == name
    assert {'task', 'body_part', 'published_images', 'paper_images', 'licence', 'url'} <= set(info)
    for word in ('Body part', 'Licence', 'Citation', 'Where', 'Overlaps', 'Patients'):
        assert word in cls.__doc__


def test_unknown_set_lists_the_names():
    with pytest.raises(UserError, match=r"'Mura' is unknown. Choose from: NIHCC, .*XrayFolder"):
        find_set('Mura')


def test_nihcc(published):
    source = published('NIHCC')
    records = scan(NIHCC, source)
    assert Counter(record['patient_id'] for record in records) == {
        '00000001': 2,
        '00000002': 2,
        '00000003': 2,
    }
    assert Counter(record['split'] for record in records) == {'train': 4, 'test': 2}
    (source / 'images_001/images/00000001_000.png').unlink()
    assert 'Data_Entry_2017_v2020.csv' in problems(scan(NIHCC, source))['00000001_000.png']


def test_nihcc_without_its_tables(published):
    source = published('NIHCC')
    for path in source.glob('*.*'):
        path.unlink()
    assert all('split' not in record for record in scan(NIHCC, source))


def test_nihcc_table_without_its_column(published):
    source = published('NIHCC')
    (source / 'Data_Entry_2017_v2020.csv').write_text('Index\n1\n')
    with pytest.raises(UserError, match=r"2020\.csv: the column 'Image Index' is missing"):
        scan(NIHCC, source)


def test_shenzhen_and_montgomery_patients(published):
    records = scan(ChinaSetCXR, published('ChinaSetCXR'))
    assert [record['patient_id'] for record in records] == [f'CHNCXR_000{i}' for i in range(3)]
    records = scan(MontgomeryCXR, published('MontgomeryCXR'))
    assert [record['patient_id'] for record in records] == [f'MCUCXR_000{i}' for i in range(3)]


def test_indiana_patients_are_reports(published):
    records = scan(IndianaCXR, published('IndianaCXR'))
    assert sorted(record['patient_id'] for record in records) == ['CXR1', 'CXR1', 'CXR22']


def test_bone_age_reports_a_row_without_its_film(published):
    source = published('RSNABoneAge')
    (source / 'boneage-training-dataset/1378.png').unlink()
    records = scan(RSNABoneAge, source)
    assert [r['patient_id'] for r in records if 'problem' not in r] == ['1377', '1379']
    assert list(problems(records)) == ['boneage-training-dataset/1378.png']


def test_pneumonia(published, film):
    source = published('PneumoniaCXR')
    records = scan(PneumoniaCXR, source)
    assert Counter(record['gt_label'] for record in records) == {0: 20, 1: 40}
    assert Counter(record['split'] for record in records) == {'train': 48, 'test': 12}
    patients = {record['patient_id'] for record in records}
    assert {'person0', 'IM-0001', 'NORMAL2-IM-0000'} <= patients
    assert len(patients) == 40
    film(source / 'chest_xray/train/NORMAL/scan7.jpeg')
    assert (
        'names no patient'
        in problems(scan(PneumoniaCXR, source))['chest_xray/train/NORMAL/scan7.jpeg']
    )


def test_mura(published, film):
    source = published('MURA')
    records = scan(MURA, source)
    assert Counter(record['gt_label'] for record in records) == {0: 20, 1: 20}
    assert Counter(record['split'] for record in records) == {'train': 32, 'test': 8}
    assert records[0]['patient_id'] == 'patient00000'
    stray = 'MURA-v1.1/train/XR_HAND/patient00099/study1/image1.png'
    film(source / stray)
    missing = records[0]['img_path']
    (source / missing).unlink()
    found = problems(scan(MURA, source))
    assert 'unexpected place' in found[stray]
    assert 'train_image_paths.csv' in found[missing]


def test_chest_xray_masks(published):
    source = published('ChestXrayMasks')
    records = {record['img_path'].split('/')[-1]: record for record in scan(ChestXrayMasks, source)}
    assert records['CHNCXR_0001_1.png'] == {
        'img_path': 'Lung Segmentation/CXR_png/CHNCXR_0001_1.png',
        'patient_id': 'CHNCXR_0001',
        'stratum': 'CHNCXR_1',
        'masks': ['Lung Segmentation/masks/CHNCXR_0001_1_mask.png'],
    }
    assert records['MCUCXR_0003_0.png']['masks'] == ['Lung Segmentation/masks/MCUCXR_0003_0.png']
    (source / 'Lung Segmentation/masks/MCUCXR_0003_0.png').unlink()
    assert (
        'no mask'
        in problems(scan(ChestXrayMasks, source))['Lung Segmentation/CXR_png/MCUCXR_0003_0.png']
    )


def test_tbx_uses_images_with_boxes_of_a_known_kind(published):
    records = scan(TBX, published('TBX'))
    assert len(records) == 20
    assert Counter(record['split'] for record in records) == {'train': 16, 'test': 4}
    first = records[0]
    assert first['img_path'] == 'TBX11K/imgs/tb/tb0001.png'
    # x, y, width, height became corners; the box of uncertain kind is left out
    assert first['instances'] == [
        {'bbox': [1, 2, 4, 6], 'bbox_label': 1, 'ignore_flag': 0},
        {'bbox': [2, 2, 7, 8], 'bbox_label': 1, 'ignore_flag': 0},
    ]


def test_tbx_annotations_that_are_no_coco_file(published):
    source = published('TBX')
    path = source / 'TBX11K/annotations/json/TBX11K_val.json'
    path.write_text('{}')
    with pytest.raises(UserError, match=r"TBX11K_val.json is not a COCO .*'categories'"):
        scan(TBX, source)
    path.write_text('{')
    with pytest.raises(UserError, match='cannot be read as COCO'):
        scan(TBX, source)

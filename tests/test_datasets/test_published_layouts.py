# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The nine sets as their publishers lay them out, with tables that contradict the files."""

import json
from collections import Counter
from pathlib import Path

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
from muscle_mm.datasets.preparation import prepare
from muscle_mm.registry import DATASETS
from muscle_mm.utils.errors import UserError


def scan(cls, source):
    return list(cls.scan(source))


def problems(records):
    """File name to the reason against it."""
    return {
        record['img_path'].split('/')[-1]: record['problem']
        for record in records
        if 'problem' in record
    }


def usable(records):
    return [record for record in records if 'problem' not in record]


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
        prepare(name, tmp_path, tmp_path.parent / 'out', progress=False)


@pytest.mark.parametrize('name', PUBLIC_SETS)
def test_set_is_registered_and_described(name):
    cls = DATASETS.get(f'muscle_mm.{name}')
    assert cls is find_set(name)
    info = cls.METAINFO
    assert info['dataset'] == name
    assert {'task', 'body_part', 'published_images', 'licence', 'citation', 'url'} <= set(info)
    assert len(info['paper_split']) == 3 and info['paper_split'][0] > 0
    assert set(info.get('published_classes', ())) <= set(info.get('classes', ()))
    for word in ('Body part', 'Licence', 'Citation', 'Where', 'Overlaps', 'Patients'):
        assert word in cls.__doc__


def test_overlaps_name_each_other():
    overlaps = {name: set(cls.METAINFO['overlaps']) for name, cls in PUBLIC_SETS.items()}
    assert overlaps['ChestXrayMasks'] == {'ChinaSetCXR', 'MontgomeryCXR', 'TBX'}
    for name, others in overlaps.items():
        assert all(name in overlaps[other] for other in others)


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


def test_nihcc_tables_that_contradict_the_files(published, film):
    source = published('NIHCC')
    table = source / 'Data_Entry_2017_v2020.csv'
    (source / 'images_001/images/00000001_000.png').unlink()
    film(source / 'images_002/images/00000002_000.png', 9)
    film(source / 'images_002/images/00000099_000.png', 10)
    film(source / 'images_002/images/contact_sheet.png', 11)
    table.write_text(
        table.read_text()
        .replace('00000001_001.png,No Finding,1', '00000001_001.png,No Finding,7')
        .replace('00000002_001.png,No Finding,2', '00000002_001.png,No Finding,nan')
        + '\n00000003_000.png,Hernia,4\n00000003_001.png,Hernia,3\n'
    )
    with open(source / 'test_list.txt', 'a') as file:
        file.write('\n00000003_001.png\n00000050_000.png')
    records = scan(NIHCC, source)
    found = problems(records)
    assert found.pop('00000001_000.png').startswith('listed in')
    assert found == {
        '00000001_001.png': 'Data_Entry_2017_v2020.csv says that it is of patient 7',
        '00000002_000.png': 'the same name as images_001/images/00000002_000.png',
        '00000002_001.png': 'Data_Entry_2017_v2020.csv gives no Patient ID',
        '00000003_000.png': "listed twice in Data_Entry_2017_v2020.csv, with the Patient ID '3' "
        "and '4'",
        '00000050_000.png': 'listed in test_list.txt, but it is missing',
        '00000099_000.png': 'not listed in Data_Entry_2017_v2020.csv',
        'contact_sheet.png': 'the file name is not of the published form, such as 00000001_000.png',
    }
    # An equal row twice does no harm, nor does a name twice in one list.
    assert [Path(record['img_path']).name for record in usable(records)] == [
        '00000002_000.png',
        '00000003_001.png',
    ]


def test_nihcc_image_in_both_lists(published):
    source = published('NIHCC')
    with open(source / 'test_list.txt', 'a') as file:
        file.write('\n00000001_000.png')
    assert problems(scan(NIHCC, source)) == {
        '00000001_000.png': 'listed in both train_val_list.txt and test_list.txt'
    }


def test_nihcc_lists_that_a_windows_editor_has_saved(published):
    source = published('NIHCC')
    names = (source / 'test_list.txt').read_text()
    (source / 'test_list.txt').write_text(names, encoding='utf-8-sig')
    assert problems(scan(NIHCC, source)) == {}
    (source / 'test_list.txt').write_text(names, encoding='utf-16')
    with pytest.raises(UserError, match=r'test_list\.txt cannot be read as a list of names'):
        scan(NIHCC, source)


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


@pytest.mark.parametrize(
    ('cls', 'folder', 'prefix'),
    [
        (ChinaSetCXR, 'ChinaSet_AllFiles', 'CHNCXR'),
        (MontgomeryCXR, 'MontgomerySet', 'MCUCXR'),
    ],
)
def test_screening_sets(cls, folder, prefix, published, film):
    source = published(cls.__name__)
    records = scan(cls, source)
    assert [record['patient_id'] for record in records] == [f'{prefix}_000{i}' for i in range(3)]
    readings = source / folder / 'ClinicalReadings'
    readings.mkdir()
    for name in (f'{prefix}_0001_1', f'{prefix}_0009_0'):
        (readings / f'{name}.txt').write_text('normal')
    film(source / folder / 'CXR_png/overview.png')
    assert problems(scan(cls, source)) == {
        'overview.png': f'the file name is not of the published form, such as {prefix}_0001_0.png',
        f'{prefix}_0009_0.png': 'listed in ClinicalReadings/, but it is missing',
    }


def test_indiana_patients_are_reports(published):
    source = published('IndianaCXR')
    records = scan(IndianaCXR, source)
    assert sorted(record['patient_id'] for record in records) == ['CXR1', 'CXR1', 'CXR22']
    reports = source / 'NLMCXR_reports/ecgen-radiology'
    reports.mkdir(parents=True)
    (reports / '1.xml').write_text(
        '<eCitation><parentImage id="CXR1_1_IM-0001-3001"/>'
        '<parentImage id="CXR1_1_IM-0001-5001"><figureId>F2</figureId></parentImage></eCitation>'
    )
    assert problems(scan(IndianaCXR, source)) == {
        'CXR1_1_IM-0001-5001.png': 'listed in NLMCXR_reports/ecgen-radiology/1.xml, but it is '
        'missing'
    }


def test_bone_age_table_that_contradicts_the_films(published, film):
    source = published('RSNABoneAge')
    (source / 'boneage-training-dataset/1378.png').unlink()
    for number in (1380, 1381, 1382):
        film(source / f'boneage-training-dataset/{number}.png', number)
    with open(source / 'boneage-training-dataset.csv', 'a') as file:
        file.write('1380,94,True\n1380,95,True\n1381,NaN,True\n1377,180,False\n')
    records = scan(RSNABoneAge, source)
    assert [record['patient_id'] for record in usable(records)] == ['1377', '1379']
    table = 'boneage-training-dataset.csv'
    assert problems(records) == {
        '1378.png': f'listed in {table}, but it is missing',
        '1380.png': f"listed twice in {table}, with the bone age '94' and '95'",
        '1381.png': f'{table} gives no bone age',
        '1382.png': f'not listed in {table}',
    }


def test_pneumonia(published, film):
    source = published('PneumoniaCXR')
    records = scan(PneumoniaCXR, source)
    assert Counter(record['gt_label'] for record in records) == {0: 20, 1: 40}
    assert Counter(record['split'] for record in records) == {'train': 48, 'test': 12}
    patients = {record['patient_id'] for record in records}
    assert {'person0', 'IM-0001', 'NORMAL2-IM-0000'} <= patients
    assert len(patients) == 40
    folder = source / 'chest_xray/train'
    film(folder / 'NORMAL/scan7.jpeg')
    film(folder / 'NORMAL/person3_virus_9.jpeg')
    film(folder / 'PNEUMONIA/IM-0115-0001.jpeg')
    film(folder / 'IM-0116-0001.jpeg')
    found = problems(scan(PneumoniaCXR, source))
    assert 'names no patient' in found.pop('scan7.jpeg')
    assert found == {
        'person3_virus_9.jpeg': 'its name is that of a film with pneumonia, but it lies in NORMAL/',
        'IM-0115-0001.jpeg': 'its name is that of a film without pneumonia, but it lies in '
        'PNEUMONIA/',
        'IM-0116-0001.jpeg': 'not inside NORMAL/ or PNEUMONIA/',
    }


@pytest.mark.parametrize(
    ('name', 'patient'),
    [
        ('NORMAL/IM-0115-0001.jpeg', 'IM-0115'),
        ('NORMAL/IM-0660-0001-0002.jpeg', 'IM-0660'),
        ('NORMAL/NORMAL2-IM-1427-0001.jpeg', 'NORMAL2-IM-1427'),
        ('PNEUMONIA/person1946_bacteria_4874.jpeg', 'person1946'),
        ('PNEUMONIA/person1_virus_6.jpeg', 'person1'),
        ('NORMAL/NORMAL-1003233-0001.jpeg', '1003233'),
        ('PNEUMONIA/BACTERIA-1008087-0001.jpeg', '1008087'),
        ('PNEUMONIA/VIRUS-1008087-0002.jpeg', '1008087'),
    ],
)
def test_pneumonia_patients_in_published_names(name, patient, tmp_path, film):
    film(tmp_path / 'chest_xray/test' / name)
    (record,) = scan(PneumoniaCXR, tmp_path)
    assert record['patient_id'] == patient
    assert record['gt_label'] == int(name.startswith('PNEUMONIA'))


def test_mura(published):
    records = scan(MURA, published('MURA'))
    assert Counter(record['gt_label'] for record in records) == {0: 20, 1: 20}
    assert Counter(record['split'] for record in records) == {'train': 32, 'test': 8}
    assert records[0]['patient_id'] == 'patient00000'
    assert records[0]['study'] == 'train/XR_ELBOW/patient00000/study1_negative'
    assert set(Counter(record['study'] for record in records).values()) == {2}


def test_mura_samples_name_their_study(prepared):
    dataset = MURA(data_root=prepared('MURA'))
    studies = Counter(dataset.get_data_info(i)['study'] for i in range(len(dataset)))
    assert set(studies.values()) == {2} and len(studies) == 20


def test_mura_patient_with_studies_of_two_body_parts(tmp_path, film):
    for study in ('XR_ELBOW/patient00011/study1_negative', 'XR_HAND/patient00011/study1_negative'):
        film(tmp_path / f'MURA-v1.1/train/{study}/image1.png')
    records = scan(MURA, tmp_path)
    assert {record['patient_id'] for record in records} == {'patient00011'}
    assert len({record['study'] for record in records}) == 2


def test_mura_tables_that_contradict_the_folders(published, film):
    source = published('MURA')
    root = source / 'MURA-v1.1'
    study = 'train/XR_ELBOW/patient{:05}/study1_negative'
    (root / study.format(0) / 'image1.png').unlink()
    film(root / 'train/XR_HAND/patient00099/study1/image1.png')
    film(root / study.format(4) / 'image3.png')
    table = root / 'train_labeled_studies.csv'
    rows = table.read_text().splitlines()
    changed = {
        f'MURA-v1.1/{study.format(8)}/,0': f'MURA-v1.1/{study.format(8)}/,1',
        f'MURA-v1.1/{study.format(12)}/,0': f'MURA-v1.1/{study.format(12)}/,',
    }
    rows = [changed.get(row, row) for row in rows]
    rows += [f'MURA-v1.1/{study.format(4)}/,1', 'MURA-v1.1/train/XR_WRIST/patient00500/study1/,0']
    table.write_text('\n'.join(rows))
    found = {
        record['img_path'].removeprefix('MURA-v1.1/train/'): record['problem']
        for record in scan(MURA, source)
        if 'problem' in record
    }
    name = 'XR_ELBOW/patient{:05}/study1_negative/image{}.png'
    assert 'unexpected place' in found.pop('XR_HAND/patient00099/study1/image1.png')
    assert found.pop('XR_WRIST/patient00500/study1') == (
        'listed in train_labeled_studies.csv, but it is missing'
    )
    assert found == {
        name.format(0, 1): 'listed in train_image_paths.csv, but it is missing',
        name.format(4, 3): 'not listed in train_image_paths.csv',
        **{
            name.format(4, image): 'its study: listed twice in train_labeled_studies.csv, with '
            "the label '0' and '1'"
            for image in (1, 2)
        },
        **{
            name.format(8, image): 'train_labeled_studies.csv labels its study 1, its folder is '
            'negative'
            for image in (1, 2)
        },
        **{
            name.format(12, image): 'its study: train_labeled_studies.csv gives no label'
            for image in (1, 2)
        },
    }


def test_mura_table_with_a_heading(published):
    source = published('MURA')
    (source / 'MURA-v1.1/valid_labeled_studies.csv').write_text('study\n1\n')
    with pytest.raises(UserError, match=r'valid_labeled_studies\.csv: expected 2 columns'):
        scan(MURA, source)


def test_chest_xray_masks(published, film, mask):
    source = published('ChestXrayMasks')
    records = {record['img_path'].split('/')[-1]: record for record in scan(ChestXrayMasks, source)}
    assert records['CHNCXR_0001_1.png'] == {
        'img_path': 'Lung Segmentation/CXR_png/CHNCXR_0001_1.png',
        'patient_id': 'CHNCXR_0001',
        'stratum': 'CHNCXR_1',
        'masks': ['Lung Segmentation/masks/CHNCXR_0001_1_mask.png'],
    }
    assert records['MCUCXR_0003_0.png']['masks'] == ['Lung Segmentation/masks/MCUCXR_0003_0.png']
    root = source / 'Lung Segmentation'
    (root / 'masks/MCUCXR_0003_0.png').unlink()
    (root / 'CXR_png/MCUCXR_0004_0.png').unlink()
    mask(root / 'masks/MCUCXR_0005_0_mask.png')
    film(root / 'test/CHNCXR_0025_0.png')
    found = problems(scan(ChestXrayMasks, source))
    assert 'has 2 masks' in found.pop('MCUCXR_0005_0.png')
    assert found == {
        'MCUCXR_0003_0.png': 'no mask of this name',
        'MCUCXR_0004_0.png': 'a mask without its film',
        'CHNCXR_0025_0.png': 'the films of test/ have no masks',
    }


def test_tbx_uses_images_with_boxes(published):
    records = scan(TBX, published('TBX'))
    assert len(records) == 20
    assert Counter(record['split'] for record in records) == {'train': 16, 'test': 4}
    first = records[0]
    assert first['img_path'] == 'TBX11K/imgs/tb/tb0001.png'
    assert first['patient_id'] == 'tb0001'
    # x, y, width, height became corners
    assert first['instances'] == [
        {'bbox': [1, 2, 4, 6], 'bbox_label': 1, 'ignore_flag': 0},
        {'bbox': [2, 2, 7, 8], 'bbox_label': 1, 'ignore_flag': 0},
    ]


def test_tbx_films_that_no_box_or_an_uncertain_one_describes(published):
    source = published('TBX')
    path = source / 'TBX11K/annotations/json/TBX11K_train.json'
    content = json.loads(path.read_text())
    number = {image['file_name']: image['id'] for image in content['images']}
    boxes = content['annotations']
    boxes.append({**boxes[0], 'id': 99, 'image_id': number['tb/tb0002.png'], 'category_id': 3})
    content['annotations'] = [box for box in boxes if box['image_id'] != number['tb/tb0003.png']]
    path.write_text(json.dumps(content))
    (source / 'TBX11K/lists').mkdir()
    (source / 'TBX11K/lists/TBX11K_train.txt').write_text(
        'health/h0001.png\nsick/s0001.png\ntb/tb0001.png\ntb/tb1199.png\n'
    )
    records = scan(TBX, source)
    assert len(usable(records)) == 18
    assert problems(records) == {
        'tb0002.png': 'has boxes that are neither active nor latent: 1 of PulmonaryTuberculosis',
        'tb0003.png': 'a film with tuberculosis, but without a box',
        'tb1199.png': 'listed in lists/TBX11K_train.txt, but not in TBX11K_train.json',
    }


def test_tbx_annotations_that_are_no_coco_file(published):
    source = published('TBX')
    path = source / 'TBX11K/annotations/json/TBX11K_val.json'
    path.write_text('{}')
    with pytest.raises(UserError, match=r"TBX11K_val.json is not a COCO .*'categories'"):
        scan(TBX, source)
    path.write_text('{')
    with pytest.raises(UserError, match='cannot be read as COCO'):
        scan(TBX, source)

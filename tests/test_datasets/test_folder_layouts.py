# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json
from collections import Counter

import numpy as np
import pytest

from muscle_mm.datasets import DicomFolder, LoadXray, XrayBoxFolder, XrayFolder, XrayMaskFolder
from muscle_mm.datasets.preparation import prepare
from muscle_mm.utils.errors import UserError


def scan(cls, source, **options):
    return {record['img_path']: record for record in cls.scan(source, **options)}


def test_flat_folder_has_no_labels(tmp_path, film):
    film(tmp_path / 'a.png')
    film(tmp_path / 'deep/er/b.jpg')
    (tmp_path / 'notes.txt').write_text('not an image')
    assert scan(XrayFolder, tmp_path) == {
        'a.png': {'img_path': 'a.png', 'patient_id': 'a', 'patient_from_header': True},
        'deep/er/b.jpg': {
            'img_path': 'deep/er/b.jpg',
            'patient_id': 'b',
            'patient_from_header': True,
        },
    }
    assert XrayFolder.class_names(tmp_path) is None


def test_class_folders_below_the_splits_are_labels(tmp_path, film):
    for split in ('train', 'val', 'test'):
        for label in ('positive', 'negative'):
            film(tmp_path / split / label / f'{split}_{label}.png')
    records = scan(XrayFolder, tmp_path)
    assert XrayFolder.class_names(tmp_path) == ('negative', 'positive')
    record = records['val/positive/val_positive.png']
    assert (record['split'], record['gt_label']) == ('val', 1)
    assert Counter(record['split'] for record in records.values()) == dict.fromkeys(
        ('train', 'val', 'test'), 2
    )


def test_order_of_the_classes_can_be_given(tmp_path, film):
    film(tmp_path / 'sick/a.png')
    film(tmp_path / 'well/b.png')
    film(tmp_path / 'c.png')
    records = scan(XrayFolder, tmp_path, classes=['well', 'sick'])
    assert records['sick/a.png']['gt_label'] == 1
    assert records['well/b.png']['gt_label'] == 0
    assert 'not inside exactly one class folder' in records['c.png']['problem']


def test_image_beside_the_splits_is_reported(tmp_path, film):
    film(tmp_path / 'train/a.png')
    film(tmp_path / 'extra/b.png')
    records = scan(XrayFolder, tmp_path)
    assert 'outside the folders train, val and test' in records['extra/b.png']['problem']
    assert 'problem' not in records['train/a.png']


@pytest.mark.parametrize('cls', [XrayMaskFolder, XrayBoxFolder])
def test_images_and_masks_beside_the_splits_are_reported(tmp_path, film, mask, coco, cls):
    for folder in ('train/', ''):
        film(tmp_path / f'{folder}images/a.png')
        mask(tmp_path / f'{folder}masks/a.png')
        coco(tmp_path / f'{folder}annotations.json', ['left'], {'a.png': []})
    records = scan(cls, tmp_path)
    assert 'problem' not in records.pop('train/images/a.png')
    assert {name: record['problem'] for name, record in records.items()} == dict.fromkeys(
        ('images/a.png', 'masks/a.png'), 'lies outside the folders train, val and test'
    )


def test_files_that_are_not_read_are_rejected_or_counted(tmp_path, film, dicom):
    source = tmp_path / 'films'
    film(source / 'x.png')
    dicom(np.arange(16, dtype=np.uint16).reshape(4, 4), name='films/IM000001')
    for name in ('y.bmp', 'z.jp2', 'a.txt', 'b.TXT', 'c.csv', 'README', '.hidden'):
        (source / name).write_bytes(b'no film')
    summary = prepare('XrayFolder', source, tmp_path / 'out', progress=False)
    assert [record['img_path'] for record in summary.records] == ['IM000001', 'x.png']
    assert summary.rejected == 2
    counted = '4 other files, not read as films: .txt 2, without an ending 1, .csv 1'
    assert counted in (tmp_path / 'out/summary.txt').read_text()
    with pytest.raises(UserError, match='--strict allows none'):
        prepare('XrayFolder', source, tmp_path / 'out', progress=False, strict=True)
    for name in ('y.bmp', 'z.jp2'):
        (source / name).unlink()
    prepare('XrayFolder', source, tmp_path / 'out', progress=False, strict=True)


def test_archive_export_counts_what_is_beside_it(tmp_path, film, dicom):
    dicom(np.arange(16, dtype=np.uint16).reshape(4, 4), name='films/IM000001')
    film(tmp_path / 'films/x.png')
    (tmp_path / 'films/DICOMDIR').write_bytes(b'contents')
    summary = prepare('DicomFolder', tmp_path / 'films', tmp_path / 'out', progress=False)
    assert (summary.rejected, summary.other_files) == (0, {'.png': 1})


def test_annotated_image_of_a_kind_that_is_not_read_is_not_missing(tmp_path, film, coco):
    film(tmp_path / 'images/a.png')
    (tmp_path / 'images/b.bmp').write_bytes(b'BM')
    coco(tmp_path / 'annotations.json', ['left'], {'a.png': [], 'b.bmp': [(1, 0, 0, 3, 3)]})
    assert '.bmp files are not read' in scan(XrayBoxFolder, tmp_path)['images/b.bmp']['problem']


def test_mask_of_a_kind_that_is_not_read_is_reported_and_no_other_concerned(tmp_path, film, mask):
    for name in ('a', 'b'):
        film(tmp_path / f'images/{name}.png')
        mask(tmp_path / f'masks/{name}.bmp')
    mask(tmp_path / 'masks/a.png')
    records = scan(XrayMaskFolder, tmp_path)
    assert records['images/a.png']['masks'] == ['masks/a.png']
    assert 'no mask of this name' in records['images/b.png']['problem']
    for name in ('a', 'b'):
        assert '.bmp files are not read' in records[f'masks/{name}.bmp']['problem']


def test_mask_of_a_film_whose_name_is_a_number(tmp_path, mask, dicom):
    dicom(np.arange(120, dtype=np.uint16).reshape(12, 10), name='images/1.2.840.7')
    mask(tmp_path / 'masks/1.2.840.7.png')
    assert scan(XrayMaskFolder, tmp_path)['images/1.2.840.7']['masks'] == ['masks/1.2.840.7.png']


def test_patient_from_the_file_name(tmp_path, film):
    for name in ('9005075L.png', '9005075R.png', 'other.png'):
        film(tmp_path / name)
    records = scan(XrayFolder, tmp_path, patient_pattern=r'^(\d+)[LR]')
    assert (
        records['9005075L.png']['patient_id'] == records['9005075R.png']['patient_id'] == '9005075'
    )
    assert 'does not match' in records['other.png']['problem']


def test_pattern_without_a_group_takes_the_match(tmp_path, film):
    film(tmp_path / 'x_p12_y.png')
    assert scan(XrayFolder, tmp_path, patient_pattern=r'p\d+')['x_p12_y.png']['patient_id'] == 'p12'


def test_patient_from_the_folder(tmp_path, film):
    for name in ('smith/1.png', 'jones/1.png'):
        film(tmp_path / 'train' / name)
    film(tmp_path / 'train/1.png')
    records = scan(XrayFolder, tmp_path, patient_pattern='/([^/]+)/[^/]+$', classes=[])
    assert records['train/smith/1.png']['patient_id'] == 'smith'
    assert records['train/jones/1.png']['patient_id'] == 'jones'
    assert records['train/1.png']['problem'].endswith('does not match the path')


def test_folders_of_patients_are_no_classes(tmp_path, film):
    film(tmp_path / 'train/smith/1.png')
    film(tmp_path / 'test/jones/1.png')
    with pytest.raises(UserError, match=r"train has no folder 'jones'.*--classes"):
        scan(XrayFolder, tmp_path)
    assert len(scan(XrayFolder, tmp_path, classes=[])) == 2


def test_pattern_that_is_no_expression(tmp_path, film):
    film(tmp_path / 'a.png')
    with pytest.raises(UserError, match=r"pattern '\(' is no regular expression"):
        scan(XrayFolder, tmp_path, patient_pattern='(')


@pytest.mark.parametrize('layout', ['XrayFolder', 'DicomFolder'])
def test_patient_from_the_dicom_header_is_not_the_name(tmp_path, dicom, layout):
    pixels = np.arange(16, dtype=np.uint16).reshape(4, 4)
    # the accent in one with its letter, and as a letter of its own
    patients = {'a': 'Doe^Zo\xe9', 'b': ' Doe^Zoe\u0301 ', 'c': '', 'd': '', 'e': ''}
    studies = {'c': '1.2.3', 'd': '1.2.3'}
    for name, patient in patients.items():
        fields = {'StudyInstanceUID': studies[name]} if name in studies else {}
        dicom(
            pixels, name=f'films/{name}.dcm', PatientID=patient, SpecificCharacterSet='ISO_IR 192',
            **fields,
        )  # fmt: skip
    summary = prepare(layout, tmp_path / 'films', tmp_path / 'out', progress=False)
    found = {record['img_path'][0]: record['patient_id'] for record in summary.records}
    assert found['a'] == found['b'] and found['a'].startswith('dicom-')
    assert 'Doe' not in (tmp_path / 'out/manifest.json').read_text()
    assert 'Doe' not in (tmp_path / 'out/inspected.jsonl').read_text()
    # without a PatientID: the study, and without that the name of the file
    assert found['c'] == found['d'] and found['c'].startswith('study-')
    assert found['e'] == 'e'


def test_inverted_files_are_marked(tmp_path, film):
    film(tmp_path / 'a_MONOCHROME1.png')
    film(tmp_path / 'b_MONOCHROME2.png')
    records = scan(XrayFolder, tmp_path, inverted='*MONOCHROME1*')
    assert records['a_MONOCHROME1.png']['inverted'] is True
    assert 'inverted' not in records['b_MONOCHROME2.png']


@pytest.mark.parametrize(
    ('cls', 'place'),
    [
        (XrayFolder, 'png'),
        (DicomFolder, 'dcm'),
        (XrayMaskFolder, 'images'),
        (XrayBoxFolder, 'annotations.json'),
    ],
)
def test_empty_folder_says_where_it_looked(tmp_path, cls, place):
    (tmp_path / 'source').mkdir()
    with pytest.raises(UserError, match=f'{cls.__name__}: no image found. Looked for .*{place}'):
        prepare(cls.__name__, tmp_path / 'source', tmp_path / 'out', progress=False)


def test_masks_have_the_name_of_their_image(tmp_path, film, mask):
    film(tmp_path / 'train/images/a.jpeg')
    mask(tmp_path / 'train/masks/a.png')
    film(tmp_path / 'test/images/b.png')
    records = scan(XrayMaskFolder, tmp_path)
    assert records['train/images/a.jpeg']['masks'] == ['train/masks/a.png']
    assert records['train/images/a.jpeg']['split'] == 'train'
    assert 'no mask of this name in test/masks/' in records['test/images/b.png']['problem']


def test_masks_without_split_folders(tmp_path, film, mask):
    film(tmp_path / 'images/a.png')
    mask(tmp_path / 'masks/a.png')
    assert scan(XrayMaskFolder, tmp_path)['images/a.png'] == {
        'img_path': 'images/a.png',
        'patient_id': 'a',
        'patient_from_header': True,
        'masks': ['masks/a.png'],
    }


def test_masks_have_two_classes(tmp_path):
    assert XrayMaskFolder.class_names(tmp_path) == ('background', 'foreground')
    with pytest.raises(UserError, match='two classes, background first'):
        XrayMaskFolder.class_names(tmp_path, ['lung'])


def test_boxes(tmp_path, film, coco):
    for name in ('a.png', 'b.png', 'unnamed.png'):
        film(tmp_path / 'train/images' / name)
    coco(
        tmp_path / 'train/annotations.json',
        ['right', 'left'],
        {'a.png': [(2, 1, 2, 3, 4)], 'b.png': [], 'missing.png': [(1, 0, 0, 1, 1)]},
    )
    records = scan(XrayBoxFolder, tmp_path)
    assert XrayBoxFolder.class_names(tmp_path) == ('right', 'left')
    assert records['train/images/a.png']['instances'] == [
        {'bbox': [1, 2, 4, 6], 'bbox_label': 1, 'ignore_flag': 0}
    ]
    assert records['train/images/b.png']['instances'] == []
    assert 'not named in annotations.json' in records['train/images/unnamed.png']['problem']
    assert 'file is missing' in records['train/images/missing.png']['problem']


def test_boxes_whose_categories_differ_between_splits(tmp_path, film, coco):
    for split, categories in (('train', ['right', 'left']), ('test', ['left', 'right'])):
        film(tmp_path / split / 'images/a.png')
        coco(tmp_path / split / 'annotations.json', categories, {'a.png': []})
    with pytest.raises(UserError, match=r'categories .* differ'):
        scan(XrayBoxFolder, tmp_path)


def test_a_damaged_annotation_costs_its_own_image(tmp_path, film, coco):
    for name in ('a.png', 'b.png'):
        film(tmp_path / 'images' / name)
    boxes = {'a.png': [(7, 0, 0, 1, 1)], 'b.png': [(1, 0, 0, 1, 1)] * 2}
    coco(tmp_path / 'annotations.json', ['left'], boxes)
    records = scan(XrayBoxFolder, tmp_path)
    assert 'annotation 1 has the unknown category 7' in records['images/a.png']['problem']
    # equal annotations are one
    assert len(records['images/b.png']['instances']) == 1


def test_export_of_an_archive(tmp_path, dicom):
    pixels = np.arange(16, dtype=np.uint16).reshape(4, 4)
    for name in ('IM000001', 'S1/1.2.840.7', 'S1/b.DCM', 'S1/c.ima'):
        dicom(pixels, name=f'export/{name}')
    for name in ('DICOMDIR', 'viewer.exe', 'S1/thumbnail.jpg', '.hidden'):
        (tmp_path / 'export' / name).write_bytes(b'no film')
    assert sorted(scan(DicomFolder, tmp_path / 'export')) == [
        'IM000001', 'S1/1.2.840.7', 'S1/b.DCM', 'S1/c.ima',
    ]  # fmt: skip


def test_frame_is_noted(tmp_path, film):
    film(tmp_path / 'a.png')
    assert scan(XrayFolder, tmp_path, frame=2)['a.png']['frame'] == 2


def test_frame_of_a_folder_that_mixes_films_and_stacks(tmp_path, film, mask, dicom):
    stack = np.arange(360, dtype=np.uint16).reshape(3, 12, 10)
    dicom(stack, name='films/images/a.dcm', NumberOfFrames=3)
    dicom(stack[0], name='films/images/b.dcm')
    film(tmp_path / 'films/images/c.png')
    for name in 'abc':
        mask(tmp_path / f'films/masks/{name}.png')
    for layout in ('XrayFolder', 'XrayMaskFolder'):
        source = tmp_path / ('films/images' if layout == 'XrayFolder' else 'films')
        summary = prepare(layout, source, tmp_path / layout, frame=1, progress=False)
        assert (summary.images, summary.rejected) == (3, 0)
    dataset = XrayMaskFolder(str(tmp_path / 'XrayMaskFolder'), pipeline=[LoadXray()])
    assert len([dataset[index] for index in range(3)]) == 3


def test_negative_frame(tmp_path, film):
    film(tmp_path / 'films/a.png')
    with pytest.raises(UserError, match='--frame -1 must be counted from 0'):
        prepare('XrayFolder', tmp_path / 'films', tmp_path / 'out', frame=-1, progress=False)


def test_films_with_masks_and_boxes_may_be_inverted(tmp_path, film, mask, coco):
    for name in ('a_dark', 'b'):
        film(tmp_path / f'films/images/{name}.png')
        mask(tmp_path / f'films/masks/{name}.png')
    coco(tmp_path / 'films/annotations.json', ['x'], {'a_dark.png': [], 'b.png': [(1, 1, 1, 2, 2)]})
    masks = {}
    for layout in ('XrayMaskFolder', 'XrayBoxFolder'):
        for pattern in ('*dark*', None):
            out = tmp_path / f'{layout}{pattern is None}'
            summary = prepare(layout, tmp_path / 'films', out, inverted=pattern, progress=False)
            found = {record['img_path']: record.get('inverted') for record in summary.records}
            dark = None if pattern is None else True
            assert found == {'images/a_dark.png': dark, 'images/b.png': None}
            masks[layout, pattern] = sorted(
                path.read_bytes() for path in out.rglob('masks/**/*.png')
            )
    assert masks['XrayMaskFolder', '*dark*'] == masks['XrayMaskFolder', None] != []


def test_frame_of_a_file_with_several(tmp_path, dicom):
    stack = np.arange(48, dtype=np.uint16).reshape(3, 4, 4)
    dicom(stack, name='films/a.dcm', NumberOfFrames=3)
    summary = prepare('DicomFolder', tmp_path / 'films', tmp_path / 'out', frame=2, progress=False)
    assert summary.records[0]['frame'] == 2
    with pytest.raises(UserError, match=r'none of the images .* a\.dcm: .*frame'):
        prepare('DicomFolder', tmp_path / 'films', tmp_path / 'out', frame=3, progress=False)


def test_two_images_cannot_share_a_mask(tmp_path, film, mask):
    for name in ('a.png', 'a.jpg', 'b.png'):
        film(tmp_path / 'images' / name)
    for name in ('a.png', 'b.png'):
        mask(tmp_path / 'masks' / name)
    records = scan(XrayMaskFolder, tmp_path)
    assert '2 images and 1 masks have this name' in records['images/a.png']['problem']
    assert '2 images and 1 masks have this name' in records['images/a.jpg']['problem']
    assert 'problem' not in records['images/b.png']


def test_annotations_of_unknown_images_are_counted(tmp_path, film, coco):
    film(tmp_path / 'images/a.png')
    path = coco(tmp_path / 'annotations.json', ['left'], {'a.png': [(1, 0, 0, 1, 1)] * 3})
    content = json.loads(path.read_text())
    for annotation, image_id in zip(content['annotations'], (1, 7, 8), strict=True):
        annotation['image_id'] = image_id
    path.write_text(json.dumps(content))
    problem = scan(XrayBoxFolder, tmp_path)['annotations.json']['problem']
    assert 'belongs to the unknown image 7, and 1 more' in problem

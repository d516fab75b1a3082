# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Splits and labels from a user's own tables, and what --strict refuses."""

import csv
import json
from unicodedata import normalize

import numpy as np
import pytest

from muscle_mm.datasets.dicom_patient import hashed_patient
from muscle_mm.datasets.preparation import prepare
from muscle_mm.utils.errors import UserError


@pytest.fixture
def films(tmp_path, film):
    """Six films of three patients."""
    source = tmp_path / 'source'
    for value, name in enumerate(('p1_a', 'p1_b', 'p2_a', 'p2_b', 'p3_a', 'p3_b')):
        film(source / f'deep/{name}.png', value)
    return source


@pytest.fixture
def table(tmp_path):
    """Write a table of the user's."""

    def write(*lines, encoding='utf-8'):
        path = tmp_path / 'table.csv'
        path.write_text('\n'.join(lines), encoding=encoding)
        return path

    return write


def run(source, out, **options):
    options = {'patient_pattern': r'p\d+', 'set_name': 'films', **options}
    return prepare('XrayFolder', source, out, progress=False, **options)


def rejected(out):
    with open(out / 'rejected.csv', newline='', encoding='utf-8') as file:
        return {row['path']: row['reason'] for row in csv.DictReader(file)}


def column(summary, key):
    return {record['img_path'].split('/')[-1]: record[key] for record in summary.records}


def test_split_of_the_patients(films, table, tmp_path):
    path = table('patient_id,split', 'p1,train', 'p2,val', 'p3,test', 'p3,test')
    summary = run(films, tmp_path / 'out', split_file=path)
    assert column(summary, 'split') == {
        'p1_a.png': 'train', 'p1_b.png': 'train', 'p2_a.png': 'val', 'p2_b.png': 'val',
        'p3_a.png': 'test', 'p3_b.png': 'test',
    }  # fmt: skip
    metainfo = json.loads((tmp_path / 'out/manifest.json').read_text())['metainfo']
    assert metainfo['split_by'] == 'file'


def test_split_of_the_images_in_a_table_from_a_spreadsheet(films, table, tmp_path):
    # byte-order mark, semicolons, and paths as Windows writes them
    lines = [
        f'deep\\{p}_{film}.png;{s};x' for p, s in (('p1', 'val'), ('p2', 'test')) for film in 'ab'
    ]
    path = table('img_path;split;note', *lines, './deep/p3_a.png;train', encoding='utf-8-sig')
    summary = run(films, tmp_path / 'out', split_file=path)
    assert summary.split_counts == {'train': 1, 'val': 2, 'test': 2}
    assert rejected(tmp_path / 'out') == {'deep/p3_b.png': 'not named in table.csv'}


def test_rows_of_a_split_file_that_do_not_fit(films, table, tmp_path):
    path = table('patient_id,split', 'p1,train', 'p9,val', 'p2,test', 'p2,train')
    summary = run(films, tmp_path / 'out', split_file=path)
    assert list(column(summary, 'split')) == ['p1_a.png', 'p1_b.png']
    reasons = rejected(tmp_path / 'out')
    assert reasons['p9'] == 'named in table.csv, line 3, but no usable image is of this patient'
    assert reasons['deep/p2_a.png'] == (
        "table.csv gives it the split 'test' in line 4 and 'train' in line 5"
    )
    assert reasons['deep/p3_a.png'] == 'not named in table.csv'


def test_file_that_is_rejected_is_not_reported_as_missing(films, table, tmp_path):
    (films / 'deep/p1_a.png').write_bytes(b'')
    path = table('img_path,split', 'deep/p1_a.png,train', 'deep/p1_b.png,val', 'gone.png,val')
    run(films, tmp_path / 'out', split_file=path)
    reasons = rejected(tmp_path / 'out')
    assert 'empty' in reasons['deep/p1_a.png']
    assert reasons['gone.png'] == 'named in table.csv, line 4, but the file is missing'


def test_patient_in_two_splits_of_the_list(films, table, tmp_path):
    path = table('img_path,split', 'deep/p1_a.png,train', 'deep/p1_b.png,test')
    summary = run(films, tmp_path / 'out', split_file=path)
    assert 'WARNING: 1 patients are in more than one split' in str(summary)


@pytest.mark.parametrize(
    ('lines', 'message'),
    [
        (['patient_id,split', 'p1,train', 'p2,tset'], r"table\.csv, line 3: the split 'tset'"),
        (
            ['patient_id,part', 'p1,train'],
            r"the column 'split' is missing\. Found: patient_id, part",
        ),
        (['name,split', 'p1,train'], r'expected the columns patient_id,split or img_path,split'),
        (['patient_id,split'], 'at least one row'),
        ([''], r"the column 'split' is missing\. Found: nothing"),
        (['patient_id,split', '1,train'], r"names none of the 6 images.*'1'.*'p1'"),
    ],
)
def test_split_file_that_cannot_be_used(films, table, tmp_path, lines, message):
    with pytest.raises(UserError, match=message):
        run(films, tmp_path / 'out', split_file=table(*lines))
    assert not (tmp_path / 'out/manifest.json').exists()


def test_split_file_that_is_not_there_or_not_utf8(films, table, tmp_path):
    with pytest.raises(UserError, match=r'nowhere\.csv cannot be read as a table'):
        run(films, tmp_path / 'out', split_file=tmp_path / 'nowhere.csv')
    path = table('patient_id,split', 'Müller,train', encoding='latin-1')
    with pytest.raises(UserError, match=r'not UTF-8.*Save it as "CSV UTF-8"'):
        run(films, tmp_path / 'out', split_file=path)


def test_split_file_and_official_split(films, table, tmp_path):
    with pytest.raises(UserError, match='exclude each other'):
        run(
            films, tmp_path / 'out',
            split_file=table('patient_id,split', 'p1,train'), official_split=True,
        )  # fmt: skip


def test_labels_of_the_patients(films, table, tmp_path):
    path = table('patient_id,label', 'p1,well', 'p2,sick', 'p3,well')
    summary = run(films, tmp_path / 'out', labels=path)
    assert summary.classes == ('sick', 'well') and summary.task == 'classification'
    assert column(summary, 'gt_label') == {
        'p1_a.png': 1, 'p1_b.png': 1, 'p2_a.png': 0, 'p2_b.png': 0, 'p3_a.png': 1, 'p3_b.png': 1,
    }  # fmt: skip
    summary = run(films, tmp_path / 'out', labels=path, classes=['well', 'sick'])
    assert column(summary, 'gt_label')['p2_a.png'] == 1


def test_labels_of_dicom_patients_are_written_as_in_the_header(table, tmp_path, dicom):
    pixels = np.arange(16, dtype=np.uint16).reshape(4, 4)
    for name, patient in (('IM1', 'Doe^Jane'), ('IM2', 'Roe^Max'), ('IM3', 'Roe^Max')):
        dicom(pixels, name=f'export/{name}', PatientID=patient)
    path = table('patient_id,label', 'Doe^Jane,well', 'Roe^Max,sick')
    out = tmp_path / 'out'
    summary = prepare('DicomFolder', tmp_path / 'export', out, labels=path, progress=False)
    assert column(summary, 'gt_label') == {'IM1': 1, 'IM2': 0, 'IM3': 0}
    assert rejected(out) == {}


@pytest.mark.parametrize('readable', [True, False])
def test_patients_without_a_film_are_not_named_where_the_manifest_names_nobody(
    table, tmp_path, dicom, readable
):
    pixels = np.arange(16, dtype=np.uint16).reshape(4, 4)
    for name, patient in (('IM1', '0012345'), ('IM2', '0012346')):
        path = dicom(pixels, name=f'export/{name}', PatientID=patient)
        if not readable:
            path.write_bytes(b'')
    known = hashed_patient('0012348')
    path = table(
        'patient_id,label', '0012345,well', '0012346,sick', '0012347,well', f'{known},sick'
    )
    out = tmp_path / 'out'
    options = {'labels': path, 'progress': False}
    if readable:
        prepare('DicomFolder', tmp_path / 'export', out, **options)
    else:
        with pytest.raises(UserError, match='none of the images'):
            prepare('DicomFolder', tmp_path / 'export', out, **options)
    reasons = rejected(out)
    unused = 'but no usable image is of this patient'
    assert reasons[hashed_patient('0012347')] == f'named in table.csv, line 4, {unused}'
    assert reasons[known] == f'named in table.csv, line 5, {unused}'
    assert '001234' not in (out / 'rejected.csv').read_text()


@pytest.mark.parametrize(('on_disk', 'in_table'), [('NFD', 'NFC'), ('NFC', 'NFD')])
def test_accents_as_a_mac_writes_them(table, tmp_path, film, on_disk, in_table):
    source = tmp_path / 'source'
    names = [normalize(on_disk, name) for name in ('Müller_1', 'Müller_2', 'José_1', 'José_2')]
    for value, name in enumerate(names):
        film(source / f'{name}.png', value)
    (source / f'{names[1]}.png').write_bytes(b'')
    rows = [f'{normalize(in_table, name)}.png,{number % 2}' for number, name in enumerate(names)]
    options = {'patient_pattern': normalize(in_table, r'^(Müller|José)')}
    out = tmp_path / 'out'
    summary = run(source, out, labels=table('img_path,label', *rows), **options)
    assert [record['img_path'] for record in summary.records] == sorted(
        f'{name}.png' for name in (names[0], names[2], names[3])
    )
    assert {record['patient_id'] for record in summary.records} == {'Müller', 'José'}
    assert list(rejected(out)) == [f'{names[1]}.png']
    rows = [f'{normalize(in_table, name)},{name[0]}' for name in ('Müller', 'José')]
    summary = run(source, out, labels=table('patient_id,label', *rows), **options)
    assert column(summary, 'gt_label')[f'{names[0]}.png'] == 1
    assert list(rejected(out)) == [f'{names[1]}.png']


def test_labels_in_place_of_folders(table, tmp_path, film):
    source = tmp_path / 'source'
    for split in ('train', 'val', 'test'):
        for patient in ('p1', 'p2'):
            film(source / split / patient / f'{split}.png')
    path = table(
        'img_path,label',
        *(
            f'{split}/{p}/{split}.png,{p == "p1"}'
            for split in ('train', 'val', 'test')
            for p in ('p1', 'p2')
        ),
    )
    out = tmp_path / 'out'
    summary = prepare('XrayFolder', source, out, labels=path, progress=False)
    assert summary.classes == ('False', 'True')
    assert summary.split_counts == {'train': 2, 'val': 2, 'test': 2}


def test_rows_of_a_label_file_that_do_not_fit(films, table, tmp_path):
    path = table(
        'img_path,label', 'deep/p1_a.png,well', 'deep/p1_b.png,sick', 'deep/p2_a.png,NaN',
        'deep/p2_b.png,', 'deep/p3_a.png,ill', 'deep/p3_b.png,well', 'deep/p3_b.png,sick',
        'gone.png,well',
    )  # fmt: skip
    summary = run(films, tmp_path / 'out', labels=path, classes=['well', 'sick'])
    assert column(summary, 'gt_label') == {'p1_a.png': 0, 'p1_b.png': 1}
    assert rejected(tmp_path / 'out') == {
        'deep/p2_a.png': "no label ('NaN' in table.csv, line 4)",
        'deep/p2_b.png': "no label ('' in table.csv, line 5)",
        'deep/p3_a.png': "the class 'ill' in table.csv, line 6 is unknown; known: well, sick",
        'deep/p3_b.png': "table.csv gives it the label 'well' in line 7 and 'sick' in line 8",
        'gone.png': 'named in table.csv, line 9, but the file is missing',
    }


def test_one_label_is_no_classification(films, table, tmp_path):
    with pytest.raises(UserError, match=r"at least two different labels, found \['well'\]"):
        run(films, tmp_path / 'out', labels=table('patient_id,label', 'p1,well', 'p2,nan'))


def test_labels_are_for_folders(published, table, tmp_path):
    path = table('patient_id,label', 'p1,well', 'p2,sick')
    with pytest.raises(UserError, match='MURA has labels of its own'):
        prepare('MURA', published('MURA'), tmp_path / 'out', labels=path, progress=False)


def test_strict_refuses_a_rejected_file_and_keeps_the_manifest(films, tmp_path):
    out = tmp_path / 'out'
    run(films, out, strict=True)
    before = (out / 'manifest.json').read_bytes()
    for number in range(7):
        (films / f'p1_bad{number}.png').write_bytes(b'')
    with pytest.raises(UserError) as caught:
        run(films, out, strict=True)
    message = str(caught.value)
    assert 'XrayFolder: 7 files are rejected, and --strict allows none' in message
    assert 'p1_bad0.png: the file is empty' in message
    assert message.count('bad') == 5
    assert len(rejected(out)) == 7
    assert (out / 'manifest.json').read_bytes() == before
    run(films, out)
    assert (out / 'manifest.json').read_bytes() == before


def test_strict_refuses_a_patient_in_two_splits(films, table, tmp_path):
    path = table(
        'img_path,split',
        *(f'deep/p{p}_{f}.png,{"train" if f == "a" else "test"}' for p in (1, 2, 3) for f in 'ab'),
    )
    with pytest.raises(UserError, match='3 patients are in more than one split, and --strict'):
        run(films, tmp_path / 'out', split_file=path, strict=True)

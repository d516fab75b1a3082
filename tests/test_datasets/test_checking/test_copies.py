# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What it means that films are copies of each other, and patients in several splits."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from muscle_mm.datasets import XrayDataset

CLASSES = {'task': 'classification', 'classes': ['normal', 'ill']}
BOXES = {'task': 'detection', 'classes': ['active', 'latent']}


def box(*corners, label=0):
    return {'bbox': list(corners), 'bbox_label': label, 'ignore_flag': 0}


def test_clean(check, found, write_set, drawn):
    films = {
        f'{i}.png': {'pixels': drawn(i), 'split': split, 'gt_label': i % 2}
        for i, split in enumerate(('train', 'train', 'val', 'val', 'test', 'test'))
    }
    report = check(write_set('one', films, **CLASSES))
    assert found(report) == [] and report.clean
    assert 'nothing found' in str(report) and 'one: 6 images, 0 left out' in str(report)


@pytest.mark.parametrize(
    ('split', 'copy_split', 'left_out'),
    [
        ('train', 'test', ['a.png']),
        ('train', 'val', ['a.png']),
        ('val', 'test', ['a.png']),
        ('test', 'train', ['b.png']),
    ],
)
def test_copy_in_a_later_split_leaks(check, write_set, drawn, split, copy_split, left_out):
    films = {
        'a.png': {'pixels': drawn(0), 'split': split},
        'b.png': {'pixels': drawn(0), 'split': copy_split},
    }
    report = check(write_set('one', films))
    (finding,) = report.findings
    assert (finding.kind, finding.reason, finding.serious) == ('leak', 'equal bytes', True)
    assert [film.img_path for film in finding.leave_out] == left_out
    assert not report.clean and '--fix' in str(report)


def test_leak_across_sets(check, found, write_set, drawn):
    write_set('films', {'x.png': {'pixels': drawn(0)}, 'y.png': {'pixels': drawn(1)}})
    root = write_set('tested', {'a.png': {'pixels': drawn(0), 'split': 'test'}})
    assert found(check(root.parent)) == [('leak', ['x.png', 'a.png'], ['x.png'], True)]
    assert check(root).clean


def test_val_of_another_set_chooses_nothing_for_the_test(check, write_set, drawn):
    write_set('one', {'a.png': {'pixels': drawn(0), 'split': 'val'}})
    root = write_set('two', {'b.png': {'pixels': drawn(0), 'split': 'test'}})
    assert check(root.parent).clean


def test_equal_pixels_in_another_encoding(check, write_set, drawn):
    films = {
        'a.png': {'pixels': drawn(0)},
        'b.tif': {'pixels': drawn(0), 'split': 'test'},
    }
    assert check(write_set('one', films)).findings[0].reason == 'equal pixels'


def test_near_and_mirrored_copies(check, write_set, drawn):
    film = drawn(0, (160, 130))
    films = {
        'film.png': {'pixels': film, 'split': 'test'},
        'near.jpeg': {'pixels': film[2:-1, 1:-2] // 2 + 40},
        'mirrored.png': {'pixels': np.ascontiguousarray(film[:, ::-1])},
        'other.png': {'pixels': drawn(1)},
    }
    leaks = [finding for finding in check(write_set('one', films)).findings if finding.serious]
    assert [(leak.films[0].img_path, leak.reason.split(',')[0]) for leak in leaks] == [
        ('mirrored.png', 'mirrored copy'),
        ('near.jpeg', 'near copy'),
    ]


def test_inverted_film_is_compared_as_it_will_be_seen(check, write_set, drawn):
    films = {
        'a.png': {'pixels': 255 - drawn(0), 'inverted': True},
        'b.png': {'pixels': drawn(0), 'split': 'test'},
    }
    assert check(write_set('one', films)).findings[0].reason == 'equal pixels'


def test_frames_of_a_file_are_films_of_their_own(check, found, write_set, drawn, tmp_path):
    films = {f'{i}.tif': {'pixels': drawn(i), 'frame': i} for i in range(2)}
    root = write_set('one', films)
    pages = [Image.fromarray(drawn(i)) for i in range(2)]
    for name in films:
        pages[0].save(tmp_path / 'images/one' / name, save_all=True, append_images=pages[1:])
    content = json.loads((root / 'manifest.json').read_text())
    for record in content['data_list']:
        file = (tmp_path / 'images/one' / record['img_path']).read_bytes()
        record['sha256'] = hashlib.sha256(file).hexdigest()
    (root / 'manifest.json').write_text(json.dumps(content))
    assert found(check(root)) == []


def test_copies_in_train_are_a_warning_and_the_first_is_kept(check, found, write_set, drawn):
    films = {name: {'pixels': drawn(0), 'gt_label': 1} for name in ('c.png', 'a.png', 'b.png')}
    root = write_set('one', films, **CLASSES)
    report = check(root)
    assert report.clean and 'warning: 2 films are copies' in str(report)
    assert found(report) == [
        ('copy', ['a.png', 'b.png'], ['b.png'], False),
        ('copy', ['a.png', 'c.png'], ['c.png'], False),
    ]
    check(root, fix=True)
    assert len(XrayDataset(data_root=root)) == 1


def test_copies_in_two_trains_or_in_test_are_kept(check, write_set, drawn):
    for name in ('one', 'two'):
        root = write_set(
            name,
            {
                'a.png': {'pixels': drawn(0)},
                'b.png': {'pixels': drawn(1), 'split': 'test'},
                'c.png': {'pixels': drawn(1), 'split': 'test'},
            },
        )
    report = check(root.parent)
    assert report.clean and report.counts == {'copy': 4}
    assert not any(finding.leave_out for finding in report.findings)


def test_labels_that_disagree(check, write_set, drawn):
    films = {
        'a.png': {'pixels': drawn(0), 'gt_label': 0},
        'b.png': {'pixels': drawn(0), 'gt_label': 1},
        'c.png': {'pixels': drawn(1), 'gt_label': 0, 'split': 'test'},
        'd.png': {'pixels': drawn(1), 'gt_label': 1, 'split': 'test'},
    }
    report = check(write_set('one', films, **CLASSES))
    labels = [finding for finding in report.findings if finding.kind == 'label']
    assert [finding.reason for finding in labels] == ['normal / ill (equal films)'] * 2
    assert [finding.serious for finding in labels] == [True, False]
    assert [film.img_path for film in labels[0].leave_out] == ['a.png', 'b.png']
    # nobody but the user takes films out of a test set
    assert labels[1].leave_out == ()


def test_labels_of_other_classes_do_not_disagree(check, write_set, drawn):
    write_set('one', {'a.png': {'pixels': drawn(0), 'gt_label': 0}}, **CLASSES)
    other = {'task': 'classification', 'classes': ['left', 'right']}
    root = write_set('two', {'a.png': {'pixels': drawn(0), 'gt_label': 1}}, **other)
    assert check(root.parent).counts == {'copy': 1}


def test_boxes_that_disagree(check, write_set, drawn):
    films = {
        'a.png': {'pixels': drawn(0), 'instances': [box(1, 1, 9, 9)]},
        'b.png': {'pixels': drawn(0), 'instances': [box(1, 1, 9, 9, label=1)]},
        'c.png': {'pixels': drawn(0), 'instances': []},
    }
    report = check(write_set('one', films, **BOXES))
    assert report.findings[0].reason == 'active / latent / no box (equal films)'


def test_patient_in_several_splits(check, found, write_set, drawn):
    splits = {'a.png': 'train', 'b.png': 'val', 'c.png': 'test', 'd.png': 'train'}
    films = {
        name: {'pixels': drawn(i), 'split': split, 'patient_id': 'p1' if i < 3 else 'p2'}
        for i, (name, split) in enumerate(splits.items())
    }
    root = write_set('one', films)
    write_set('two', {'a.png': {'pixels': drawn(9), 'split': 'test', 'patient_id': 'p2'}})
    report = check(root.parent)
    names = ['a.png', 'b.png', 'c.png']
    assert found(report) == [('patient', names, ['a.png', 'b.png'], True)]
    assert report.findings[0].reason == 'patient p1 is in test, too'


@pytest.mark.parametrize('patient', ['dicom-00ff', 'study-00ff'])
def test_dicom_patient_in_train_of_one_set_and_test_of_another(
    check, found, write_set, drawn, patient
):
    def films(first, *splits):
        return {
            f'{split}{first}.png': {
                'pixels': drawn(first + i),
                'split': split,
                'patient_id': patient,
            }
            for i, split in enumerate(splits)
        }

    root = write_set('one', films(0, 'train'))
    write_set('two', films(10, 'test'))
    write_set('three', films(20, 'train'))
    report = check(root.parent)
    names = ['train0.png', 'train20.png', 'test10.png']
    assert found(report) == [('same id', names, [], False)]
    assert report.clean
    assert 'warning: 1 patients of a DICOM header have the id' in str(report)
    assert '--split-file' in str(report)


def test_dicom_patient_held_out_in_two_sets_or_of_one_set_is_no_same_id(
    check, found, write_set, drawn
):
    patient = {'patient_id': 'dicom-00ff'}
    films = {'a.png': {'pixels': drawn(0), 'split': 'val', **patient}}
    films['b.png'] = {'pixels': drawn(1), 'split': 'train', **patient}
    root = write_set('one', films)
    assert found(check(root)) == [('patient', ['b.png', 'a.png'], ['b.png'], True)]
    del films['b.png']
    write_set('two', {'c.png': {'pixels': drawn(2), 'split': 'test', **patient}})
    write_set('three', films)
    assert found(check(root.parent / 'two', root.parent / 'three')) == []

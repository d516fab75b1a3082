# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Files, masks, boxes and labels."""

import numpy as np
import pytest

CLASSES = {'task': 'classification', 'classes': ['normal', 'ill']}
BOXES = {'task': 'detection', 'classes': ['active', 'latent']}
MASKS = {'task': 'segmentation', 'classes': ['background', 'lung']}


def box(*corners, label=0):
    return {'bbox': list(corners), 'bbox_label': label, 'ignore_flag': 0}


@pytest.mark.parametrize(
    ('corners', 'reason'),
    [
        ((5, 5, 5, 9), 'is empty'),
        ((200, 5, 220, 9), 'lies outside the image of 80 x 96'),
        ((5, float(10**9), 9, float(10**9) + 1), 'lies outside the image'),
    ],
)
def test_impossible_box(check, found, write_set, drawn, corners, reason):
    films = {'a.png': {'pixels': drawn(0), 'instances': [box(1, 1, 9, 9), box(*corners)]}}
    report = check(write_set('one', films, **BOXES))
    assert found(report) == [('box', ['a.png'], ['a.png'], True)]
    assert reason in report.findings[0].reason


@pytest.mark.parametrize('label', [2, -1, None, 'ill'])
def test_label_that_is_no_class(check, found, write_set, drawn, label):
    root = write_set('one', {'a.png': {'pixels': drawn(0), 'gt_label': label}}, **CLASSES)
    report = check(root)
    assert found(report) == [('class', ['a.png'], ['a.png'], True)]
    assert report.findings[0].reason == f'the label {label!r} is none of the 2 classes of the set'


def test_masks(check, write_set, drawn):
    good = np.zeros((96, 80), dtype=np.uint8)
    good[20:60] = 255
    masks = {
        'good.png': (good, None),
        'size.png': (good.T.copy(), 'the mask has 96 x 80 pixels, the image 80 x 96'),
        'missing.png': (None, 'the file does not exist'),
        'values.png': (good // 2, 'other values than 0 and 255'),
        'empty.png': (np.zeros_like(good), 'the mask is 0 everywhere'),
    }
    films = {
        name: {'pixels': drawn(i), 'mask': mask}
        for i, (name, (mask, _)) in enumerate(masks.items())
    }
    report = check(write_set('one', films, **MASKS))
    reasons = {finding.films[0].img_path: finding for finding in report.findings}
    assert reasons.keys() == masks.keys() - {'good.png'}
    for name, finding in reasons.items():
        assert masks[name][1] in finding.reason
        assert finding.kind == ('empty mask' if name == 'empty.png' else 'mask')
        assert finding.serious == bool(finding.leave_out) == (name != 'empty.png')


def test_files_that_have_gone_or_changed(check, found, write_set, drawn, tmp_path):
    root = write_set('one', {f'{i}.png': {'pixels': drawn(i)} for i in range(3)})
    (tmp_path / 'images/one/0.png').unlink()
    with open(tmp_path / 'images/one/1.png', 'ab') as file:
        file.write(b'more')
    report = check(root)
    assert found(report) == [
        ('file', ['0.png'], ['0.png'], True),
        ('file', ['1.png'], ['1.png'], True),
    ]
    assert [finding.reason.split(' (')[0] for finding in report.findings] == [
        'the file has gone',
        'the file has changed since the preparation',
    ]


def test_film_that_cannot_be_used_does_not_leak(check, write_set, drawn):
    films = {
        'a.png': {'pixels': drawn(0), 'instances': [box(1, 1, 9, 9)]},
        'b.png': {'pixels': drawn(0), 'instances': [box(5, 5, 5, 5)], 'split': 'test'},
    }
    assert check(write_set('one', films, **BOXES)).counts == {'box': 1}


@pytest.mark.parametrize(('patient', 'kinds'), [('dicom-0a1b', ['same id']), ('1', [])])
def test_patient_of_a_header_in_two_sets_is_a_warning(check, write_set, drawn, patient, kinds):
    one = write_set('one', {'a.png': {'pixels': drawn(0), 'patient_id': patient}})
    held_out = {'pixels': drawn(1), 'patient_id': patient, 'split': 'test'}
    two = write_set('two', {'b.png': held_out})
    report = check(one, two)
    assert [finding.kind for finding in report.findings] == kinds
    for finding in report.findings:
        assert [film.img_path for film in finding.films] == ['a.png', 'b.png']
        assert not finding.serious and not finding.leave_out
        assert finding.reason == f'an id {patient} is in test of another set'

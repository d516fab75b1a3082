# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from muscle_mm.datasets import XrayDataset
from muscle_mm.datasets.checking import check_data
from muscle_mm.datasets.io import read_xray
from muscle_mm.utils.errors import UserError

CLASSES = {'task': 'classification', 'classes': ['normal', 'ill']}
BOXES = {'task': 'detection', 'classes': ['active', 'latent']}
MASKS = {'task': 'segmentation', 'classes': ['background', 'lung']}


def check(*roots, **options):
    return check_data(roots, workers=1, progress=False, **options)


def found(report):
    """What was found: kind, names of the films, names of those to leave out, whether serious."""
    return [
        (
            finding.kind,
            [Path(film.path).name for film in finding.films],
            [Path(film.path).name for film in finding.leave_out],
            finding.serious,
        )
        for finding in report.findings
    ]


def box(*corners, label=0):
    return {'bbox': list(corners), 'bbox_label': label, 'ignore_flag': 0}


def test_clean(write_set, drawn):
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
def test_copy_in_a_later_split_leaks(write_set, drawn, split, copy_split, left_out):
    films = {
        'a.png': {'pixels': drawn(0), 'split': split},
        'b.png': {'pixels': drawn(0), 'split': copy_split},
    }
    report = check(write_set('one', films))
    (finding,) = report.findings
    assert (finding.kind, finding.reason, finding.serious) == ('leak', 'equal bytes', True)
    assert [film.img_path for film in finding.leave_out] == left_out
    assert not report.clean and '--fix' in str(report)


def test_leak_across_sets(write_set, drawn):
    write_set('films', {'x.png': {'pixels': drawn(0)}, 'y.png': {'pixels': drawn(1)}})
    root = write_set('tested', {'a.png': {'pixels': drawn(0), 'split': 'test'}})
    assert found(check(root.parent)) == [('leak', ['x.png', 'a.png'], ['x.png'], True)]
    assert check(root).clean


def test_val_of_another_set_chooses_nothing_for_the_test(write_set, drawn):
    write_set('one', {'a.png': {'pixels': drawn(0), 'split': 'val'}})
    root = write_set('two', {'b.png': {'pixels': drawn(0), 'split': 'test'}})
    assert check(root.parent).clean


def test_equal_pixels_in_another_encoding(write_set, drawn):
    films = {
        'a.png': {'pixels': drawn(0)},
        'b.tif': {'pixels': drawn(0), 'split': 'test'},
    }
    assert check(write_set('one', films)).findings[0].reason == 'equal pixels'


def test_near_and_mirrored_copies(write_set, drawn):
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


def test_inverted_film_is_compared_as_it_will_be_seen(write_set, drawn):
    films = {
        'a.png': {'pixels': 255 - drawn(0), 'inverted': True},
        'b.png': {'pixels': drawn(0), 'split': 'test'},
    }
    assert check(write_set('one', films)).findings[0].reason == 'equal pixels'


def test_frames_of_a_file_are_films_of_their_own(write_set, drawn, tmp_path):
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


def test_copies_in_train_are_a_warning_and_the_first_is_kept(write_set, drawn):
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


def test_copies_in_two_trains_or_in_test_are_kept(write_set, drawn):
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


def test_labels_that_disagree(write_set, drawn):
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


def test_labels_of_other_classes_do_not_disagree(write_set, drawn):
    write_set('one', {'a.png': {'pixels': drawn(0), 'gt_label': 0}}, **CLASSES)
    other = {'task': 'classification', 'classes': ['left', 'right']}
    root = write_set('two', {'a.png': {'pixels': drawn(0), 'gt_label': 1}}, **other)
    assert check(root.parent).counts == {'copy': 1}


def test_boxes_that_disagree(write_set, drawn):
    films = {
        'a.png': {'pixels': drawn(0), 'instances': [box(1, 1, 9, 9)]},
        'b.png': {'pixels': drawn(0), 'instances': [box(1, 1, 9, 9, label=1)]},
        'c.png': {'pixels': drawn(0), 'instances': []},
    }
    report = check(write_set('one', films, **BOXES))
    assert report.findings[0].reason == 'active / latent / no box (equal films)'


def test_patient_in_several_splits(write_set, drawn):
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


@pytest.mark.parametrize(
    ('corners', 'reason'),
    [
        ((5, 5, 5, 9), 'is empty'),
        ((200, 5, 220, 9), 'lies outside the image of 80 x 96'),
        ((5, float(10**9), 9, float(10**9) + 1), 'lies outside the image'),
    ],
)
def test_impossible_box(write_set, drawn, corners, reason):
    films = {'a.png': {'pixels': drawn(0), 'instances': [box(1, 1, 9, 9), box(*corners)]}}
    report = check(write_set('one', films, **BOXES))
    assert found(report) == [('box', ['a.png'], ['a.png'], True)]
    assert reason in report.findings[0].reason


@pytest.mark.parametrize('label', [2, -1, None, 'ill'])
def test_label_that_is_no_class(write_set, drawn, label):
    root = write_set('one', {'a.png': {'pixels': drawn(0), 'gt_label': label}}, **CLASSES)
    report = check(root)
    assert found(report) == [('class', ['a.png'], ['a.png'], True)]
    assert report.findings[0].reason == f'the label {label!r} is none of the 2 classes of the set'


def test_masks(write_set, drawn):
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


def test_files_that_have_gone_or_changed(write_set, drawn, tmp_path):
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


def test_film_that_cannot_be_used_does_not_leak(write_set, drawn):
    films = {
        'a.png': {'pixels': drawn(0), 'instances': [box(1, 1, 9, 9)]},
        'b.png': {'pixels': drawn(0), 'instances': [box(5, 5, 5, 5)], 'split': 'test'},
    }
    assert check(write_set('one', films, **BOXES)).counts == {'box': 1}


def messy(write_set, drawn):
    """Write two sets in which everything is wrong."""
    ill = {'pixels': drawn(5), 'patient_id': 'p', 'gt_label': 1}
    write_set(
        'one',
        {
            'leak.png': {'pixels': drawn(0), 'gt_label': 0},
            'copy.png': {'pixels': drawn(1), 'gt_label': 0},
            'copy again.png': {'pixels': drawn(1), 'gt_label': 0},
            'normal, or not.png': {'pixels': drawn(2), 'gt_label': 0},
            'ill.png': {'pixels': drawn(2), 'gt_label': 1},
            'class.png': {'pixels': drawn(3), 'gt_label': 7},
            'patient.png': ill,
            'patient too.png': {**ill, 'pixels': drawn(6), 'split': 'test'},
        },
        **CLASSES,
    )
    films = {
        'held out.png': {'pixels': drawn(0), 'split': 'test', 'instances': []},
        'box.png': {'pixels': drawn(7), 'instances': [box(3, 3, 1, 1)]},
        'good.png': {'pixels': drawn(8), 'instances': [box(3, 3, 9, 9)]},
    }
    return write_set('two', films, **BOXES).parent


def test_fix(write_set, drawn):
    data = messy(write_set, drawn)
    assert not check(data).clean
    fixed = check(data, fix=True)
    assert fixed.clean and 'one: 8 images, 6 left out by' in str(fixed)
    lists = {name: (data / name / 'exclusions.csv').read_text() for name in ('one', 'two')}
    assert lists['one'].splitlines() == [
        'img_path,reason',
        'class.png,class: the label 7 is none of the 2 classes of the set',
        'copy.png,copy: equal bytes as [train] one: copy again.png',
        'ill.png,label: ill / normal (equal films)',
        'leak.png,leak: equal bytes as [test] two: held out.png',
        '"normal, or not.png",label: ill / normal (equal films)',
        'patient.png,"patient: patient p is in test, too"',
    ]
    again = check(data)
    assert again.clean and found(again) == []
    assert 'one: 8 images, 6 left out' in str(again)
    kept = {Path(sample['img_path']).name for sample in XrayDataset(data_root=data / 'one')}
    assert kept == {'copy again.png', 'patient too.png'}

    check(data, fix=True)
    assert lists == {name: (data / name / 'exclusions.csv').read_text() for name in lists}


def test_order_of_the_folders_does_not_matter(write_set, drawn, tmp_path):
    data = messy(write_set, drawn)
    reports = []
    for roots in ((data / 'one', data / 'two'), (data / 'two', data / 'one'), (data,) * 2):
        check_data(roots, workers=2, progress=False).write(tmp_path / 'report.json')
        reports.append((tmp_path / 'report.json').read_bytes())
    assert reports[0] == reports[1] == reports[2]


def test_fix_renews_the_list_and_says_what_comes_back(write_set, drawn):
    write_set('one', {'a.png': {'pixels': drawn(0)}})
    data = write_set('two', {'b.png': {'pixels': drawn(0), 'split': 'test'}}).parent
    check(data, fix=True)
    report = check(data / 'one', fix=True)
    assert 'one: 1 images, 0 left out; 1 before: check it together with' in str(report)
    assert not (data / 'one/exclusions.csv').exists()


def test_damaged_list_of_exclusions(write_set, drawn):
    root = write_set('one', {'a.png': {'pixels': drawn(0)}})
    (root / 'exclusions.csv').write_text('img_path,reason\nz.png,gone\n')
    with pytest.raises(UserError, match=r"exclusions\.csv, line 2: the image 'z.png' is not in"):
        check(root)
    assert check(root, fix=True).clean
    assert not (root / 'exclusions.csv').exists()


def test_many_processes_find_the_same(write_set, drawn):
    films = {f'{i:03}.png': {'pixels': drawn(i % 60)} for i in range(80)}
    root = write_set('one', films)
    parallel = check_data([root], workers=2, progress=False)
    assert len(parallel.findings) == 20
    (root / 'fingerprints.bin').unlink()
    assert found(check(root)) == found(parallel)


def test_second_check_decodes_nothing(write_set, drawn, monkeypatch):
    root = write_set('one', {f'{i}.png': {'pixels': drawn(i % 2)} for i in range(3)})
    first = found(check(root))
    monkeypatch.setattr('muscle_mm.datasets.checking.files.read_xray', None)
    assert found(check(root)) == first != []


def test_interruption_loses_nothing(write_set, drawn, monkeypatch):
    root = write_set('one', {f'{i}.png': {'pixels': drawn(i)} for i in range(5)})
    reading = 'muscle_mm.datasets.checking.files.read_xray'
    read = []

    def read_two(path, **options):
        if len(read) == 2:
            raise KeyboardInterrupt
        read.append(path)
        return read_xray(path, **options)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(reading, read_two)
        check(root)

    def read_rest(path, **options):
        read.append(path)
        return read_xray(path, **options)

    monkeypatch.setattr(reading, read_rest)
    assert check(root).clean
    assert len(read) == len(set(read)) == 5


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda record: record.pop('sha256'), "'sha256' is missing. Prepare the set again"),
        (lambda record: record.update(split='valid'), "split 'valid' is unknown"),
        (lambda record: record.update(img_path='../a.png'), 'leaves the folder'),
    ],
)
def test_manifest_that_cannot_be_checked(write_set, drawn, change, message):
    root = write_set('one', {'a.png': {'pixels': drawn(0)}})
    content = json.loads((root / 'manifest.json').read_text())
    change(content['data_list'][0])
    (root / 'manifest.json').write_text(json.dumps(content))
    with pytest.raises(UserError, match=message):
        check(root)


def test_folders_that_hold_nothing(write_set, drawn, tmp_path):
    with pytest.raises(UserError, match='nowhere does not exist'):
        check(tmp_path / 'nowhere')
    with pytest.raises(UserError, match=r'no manifest\.json in .* nor in the folders in it'):
        check(tmp_path)
    root = write_set('one', {'a.png': {'pixels': drawn(0)}})
    (tmp_path / 'images/one').rename(tmp_path / 'moved')
    with pytest.raises(UserError, match=r"one: the images' folder .*images.one.* does not exist"):
        check(root)


@pytest.mark.parametrize(
    ('options', 'message'),
    [({'threshold': 128}, 'threshold=128'), ({'threshold': -1}, 'threshold=-1')],
)
def test_threshold_out_of_range(tmp_path, options, message):
    with pytest.raises(UserError, match=f'{message} must lie between 0 and 127'):
        check(tmp_path, **options)

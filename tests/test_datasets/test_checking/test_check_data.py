# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest

from muscle_mm.datasets import XrayDataset
from muscle_mm.datasets.checking import check_data
from muscle_mm.datasets.checking.fingerprint import fingerprint
from muscle_mm.datasets.checking.fingerprint_file import FingerprintFile
from muscle_mm.datasets.io import read_xray
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.locked_folder import locked_folder

CLASSES = {'task': 'classification', 'classes': ['normal', 'ill']}
BOXES = {'task': 'detection', 'classes': ['active', 'latent']}


def box(*corners, label=0):
    return {'bbox': list(corners), 'bbox_label': label, 'ignore_flag': 0}


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


def test_fix(check, found, write_set, drawn):
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


def test_fix_renews_the_list_and_says_what_comes_back(check, write_set, drawn):
    write_set('one', {'a.png': {'pixels': drawn(0)}})
    data = write_set('two', {'b.png': {'pixels': drawn(0), 'split': 'test'}}).parent
    check(data, fix=True)
    report = check(data / 'one', fix=True)
    assert 'one: 1 images, 0 left out; 1 left out before are used again' in str(report)
    assert not (data / 'one/exclusions.csv').exists()


def test_fix_says_what_comes_back_though_as_many_are_left_out(check, write_set, drawn):
    films = {'a.png': {'pixels': drawn(0)}, 'b.png': {'pixels': drawn(1)}}
    write_set('one', films)
    data = write_set('two', {'c.png': {'pixels': drawn(0), 'split': 'test'}}).parent
    write_set('three', {'d.png': {'pixels': drawn(1), 'split': 'test'}})
    check_data((data / 'one', data / 'two'), fix=True, workers=1, progress=False)
    report = check_data((data / 'one', data / 'three'), fix=True, workers=1, progress=False)
    assert '1 left out by' in str(report)
    assert '; 1 left out before are used again: check it together with' in str(report)


def test_damaged_list_of_exclusions(check, write_set, drawn):
    root = write_set('one', {'a.png': {'pixels': drawn(0)}})
    (root / 'exclusions.csv').write_text('img_path,reason\nz.png,gone\n')
    with pytest.raises(UserError, match=r"exclusions\.csv, line 2: the image 'z.png' is not in"):
        check(root)
    assert check(root, fix=True).clean
    assert not (root / 'exclusions.csv').exists()


def test_many_processes_find_the_same(check, found, write_set, drawn):
    films = {f'{i:03}.png': {'pixels': drawn(i % 60)} for i in range(80)}
    root = write_set('one', films)
    parallel = check_data([root], workers=2, progress=False)
    assert len(parallel.findings) == 20
    (root / 'fingerprints.bin').unlink()
    assert found(check(root)) == found(parallel)


def test_second_check_decodes_nothing(check, found, write_set, drawn, monkeypatch, work_here):
    work_here('muscle_mm.datasets.checking.files')
    root = write_set('one', {f'{i}.png': {'pixels': drawn(i % 2)} for i in range(3)})
    first = found(check(root))
    monkeypatch.setattr('muscle_mm.datasets.checking.files.read_xray', None)
    assert found(check(root)) == first != []


def test_interruption_loses_nothing(check, write_set, drawn, monkeypatch, work_here):
    work_here('muscle_mm.datasets.checking.files')
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


@pytest.mark.parametrize('fix', [False, True])
def test_one_check_or_preparation_of_a_set_at_a_time(check, write_set, drawn, fix):
    pytest.importorskip('fcntl')
    root = write_set('one', {'a.png': {'pixels': drawn(0)}})
    before = sorted(root.iterdir())
    with (
        locked_folder(root),
        pytest.raises(UserError, match=r'another process is writing to .*one'),
    ):
        check(root, fix=fix)
    assert sorted(root.iterdir()) == before
    assert check(root, fix=fix).clean


def test_fingerprints_that_another_process_adds_are_not_mixed_up(
    check, found, write_set, drawn, monkeypatch
):
    root = write_set('one', {f'{i}.png': {'pixels': drawn(i % 3)} for i in range(5)})
    expected = found(check(root))
    path = root / 'fingerprints.bin'
    path.unlink()

    def read_while_another_adds(film, **options):
        # Where the folder cannot be locked, as on some network disks.
        FingerprintFile(path).add([fingerprint(drawn(9), 'f' * 64)])
        return read_xray(film, **options)

    monkeypatch.setattr('muscle_mm.datasets.checking.files.read_xray', read_while_another_adds)
    assert found(check(root)) == expected != []


def test_fingerprints_that_another_process_damages(check, write_set, drawn, monkeypatch):
    root = write_set('one', {'a.png': {'pixels': drawn(0)}})
    monkeypatch.setattr(FingerprintFile, 'add', lambda *_: None)
    with pytest.raises(UserError, match='another process is writing to it'):
        check(root)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda record: record.pop('sha256'), "'sha256' is missing. Prepare the set again"),
        (lambda record: record.update(split='valid'), "split 'valid' is unknown"),
        (lambda record: record.update(img_path='../a.png'), 'leaves the folder'),
    ],
)
def test_manifest_that_cannot_be_checked(check, write_set, drawn, change, message):
    root = write_set('one', {'a.png': {'pixels': drawn(0)}})
    content = json.loads((root / 'manifest.json').read_text())
    change(content['data_list'][0])
    (root / 'manifest.json').write_text(json.dumps(content))
    with pytest.raises(UserError, match=message):
        check(root)


def test_folders_that_hold_nothing(check, write_set, drawn, tmp_path):
    with pytest.raises(UserError, match='nowhere does not exist'):
        check(tmp_path / 'nowhere')
    with pytest.raises(UserError, match=r'no manifest\.json in .* nor in the folders in it'):
        check(tmp_path)
    root = write_set('one', {'a.png': {'pixels': drawn(0)}})
    (tmp_path / 'images/one').rename(tmp_path / 'moved')
    with pytest.raises(UserError, match=r"one: the images' folder .*images.one.* does not exist"):
        check(root)


def test_set_in_the_folder_itself_hides_none_below_it(check, write_set, drawn):
    data = write_set('one', {'a.png': {'pixels': drawn(0)}}).parent
    manifest = (data / 'one/manifest.json').read_text()
    # What a first attempt with --out data has left.
    (data / 'manifest.json').write_text(manifest.replace('../../images', '../images'))
    report = check(data)
    assert [prepared.manifest.parent for prepared in report.sets] == [data, data / 'one']


@pytest.mark.parametrize(
    ('options', 'message'),
    [({'threshold': 128}, 'threshold=128'), ({'threshold': -1}, 'threshold=-1')],
)
def test_threshold_out_of_range(check, tmp_path, options, message):
    with pytest.raises(UserError, match=f'{message} must lie between 0 and 127'):
        check(tmp_path, **options)

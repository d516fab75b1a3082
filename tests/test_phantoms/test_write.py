# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import hashlib
import json
from pathlib import Path

import pytest

from muscle_mm.phantoms import write_contact_sheet, write_phantoms
from muscle_mm.utils.errors import UserError


def digests(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob('*')
        if path.is_file()
    }


@pytest.mark.parametrize('name', ['PneumoniaCXR', 'MURA', 'TBX'])
def test_same_bytes_for_any_number_of_workers(tmp_path: Path, name: str) -> None:
    for workers in (1, 2):
        write_phantoms(tmp_path / str(workers), {name: 17}, size=33, workers=workers, sets=[name])
    assert digests(tmp_path / '1') == digests(tmp_path / '2')


def test_a_film_does_not_depend_on_the_number_of_films(tmp_path: Path) -> None:
    for count in (4, 6):
        counts = {'RSNABoneAge': count}
        write_phantoms(tmp_path / str(count), counts, size=32, workers=1, sets=list(counts))
    film = 'rsna_bone_age/boneage-training-dataset/1379.png'
    assert digests(tmp_path / '4')[film] == digests(tmp_path / '6')[film]


def test_seeds_differ(tmp_path: Path) -> None:
    for seed in (0, 1):
        counts = {'ChinaSetCXR': 2}
        write_phantoms(
            tmp_path / str(seed), counts, size=32, seed=seed, workers=1, sets=['ChinaSetCXR']
        )
    film = 'china_set_cxr/ChinaSet_AllFiles/CXR_png/CHNCXR_0001_0.png'
    assert digests(tmp_path / '0')[film] != digests(tmp_path / '1')[film]


def test_a_finished_set_is_left_alone_and_another_size_is_made_anew(tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []

    def report(name: str, done: int, total: int) -> None:
        calls.append((name, done, total))

    def write(size: int) -> None:
        write_phantoms(tmp_path, {'MURA': 3}, size=size, workers=1, sets=['MURA'], report=report)

    write(32)
    assert calls == [('MURA', 1, 3), ('MURA', 2, 3), ('MURA', 3, 3)]
    write(32)
    assert len(calls) == 3
    write(36)
    assert len(calls) == 6


def test_an_interrupted_set_is_made_anew(tmp_path: Path) -> None:
    def interrupt(name: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    sets = ['ChinaSetCXR']
    with pytest.raises(KeyboardInterrupt):
        write_phantoms(tmp_path, scale=0.1, size=32, workers=1, sets=sets, report=interrupt)
    marker = tmp_path / 'china_set_cxr/phantoms.json'
    assert json.loads(marker.read_text())['complete'] is False
    folder = write_phantoms(tmp_path, scale=0.1, size=32, workers=1, sets=sets)['ChinaSetCXR']
    assert json.loads(marker.read_text())['complete'] is True
    assert len(list(folder.rglob('*.png'))) == 4


def test_strange_files_are_never_removed(tmp_path: Path) -> None:
    precious = tmp_path / 'nihcc/images_001/precious.png'
    precious.parent.mkdir(parents=True)
    precious.write_text('a real film')
    with pytest.raises(UserError, match=r"nihcc' holds files that are not phantoms"):
        write_phantoms(tmp_path, {'NIHCC': 2}, size=32, sets=['NIHCC'])
    assert precious.read_text() == 'a real film'


@pytest.mark.parametrize('size', [32, 37, 101])
def test_awkward_sizes_and_least_counts(tmp_path: Path, size: int) -> None:
    sets = ['NIHCC', 'PneumoniaCXR', 'MURA', 'ChestXrayMasks', 'TBX']
    folders = write_phantoms(tmp_path, dict.fromkeys(sets, 2), size=size, workers=1, sets=sets)
    assert list(folders) == sets
    assert all(any(folder.rglob('*.[pj]*g')) for folder in folders.values())


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'sets': ['CheXpert']}, "No phantoms for a set 'CheXpert': choose from NIHCC"),
        ({'counts': {'Mura': 3}}, "No phantoms for a set 'Mura'"),
        ({'size': 8}, 'size 8 shows nothing: choose at least 32'),
        ({'scale': 0.0}, r'scale of the phantoms is 0\.0: choose a number above 0'),
        ({'scale': float('nan')}, 'scale of the phantoms is nan'),
        ({'seed': -1}, 'seed of the phantoms is -1: choose 0 or more'),
        ({'workers': 0}, 'number of workers is 0: choose at least 1'),
        ({'counts': {'TBX': 1}, 'sets': ['TBX']}, "1 phantoms for the set 'TBX' are too few"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, arguments: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        write_phantoms(tmp_path, **arguments)
    assert not list(tmp_path.iterdir())


def test_contact_sheet(phantoms: Path, tmp_path: Path) -> None:
    from PIL import Image

    write_contact_sheet(phantoms, tmp_path / 'sheets/sheet.png', columns=3, cell=48)
    with Image.open(tmp_path / 'sheets/sheet.png') as image:
        assert image.size == (36 + 3 * 48, 9 * 48)


def test_contact_sheet_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='holds no phantoms for a contact sheet'):
        write_contact_sheet(tmp_path, tmp_path / 'sheet.png')

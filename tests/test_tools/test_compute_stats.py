# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from muscle_mm.datasets.preparation import prepare

FILMS = ('normal/0.png', 'normal/1.png', 'sick/2.png')
CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


@pytest.fixture
def data_root(tmp_path):
    """A folder that holds two prepared sets."""
    table = tmp_path / 'split.csv'
    table.write_text('img_path,split\n' + ''.join(f'{path},train\n' for path in FILMS))
    for name, value in (('dark', 20), ('bright', 200)):
        source = tmp_path / 'films' / name
        for number in range(3):
            path = source / FILMS[number]
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.full((6, 5), value, np.uint8)
            pixels[number] = 0
            Image.fromarray(pixels).save(path)
        data = tmp_path / 'data' / name
        classes = ('normal', 'sick')
        prepare('XrayFolder', source, data, progress=False, split_file=table, classes=classes)
    return tmp_path / 'data'


def normalisations(config) -> Iterator[tuple]:
    """Mean and standard deviation of every data preprocessor in a config."""
    if isinstance(config, dict):
        if 'mean' in config and 'std' in config:
            yield config['mean'], config['std']
        for value in config.values():
            yield from normalisations(value)


@pytest.mark.parametrize('place', [CONFIGS, None])
def test_all_configs_read_the_fragment(place, run_tool, data_root, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv('MUSCLE_MEAN', raising=False)
    monkeypatch.delenv('MUSCLE_STD', raising=False)
    mean, std = 130.0, 58.0
    if place is None:
        place = shutil.copytree(CONFIGS, tmp_path / 'configs')
        fragment = place / '_base_' / 'normalisation.py'
        assert run_tool('compute_stats.py', data_root, '--out', fragment) == 0
        assert f'config: {fragment}' in capsys.readouterr().out
        # 5 of 6 rows are bright: 20 and 200, the sixth is black.
        values = np.repeat([0, 20, 200], [2, 5, 5])
        mean, std = float(f'{values.mean():.4f}'), float(f'{values.std():.4f}')
        assert 'bright: 3 films' in fragment.read_text()
    monkeypatch.chdir(tmp_path)
    paths = [path for path in place.glob('*/**/*.py') if '_base_' not in path.parts]
    for path in paths:
        model = Config.fromfile(path).model
        found = list(normalisations(model))
        assert len(found) == len(model.get('tasks', [None])), path
        for numbers in found:
            assert numbers in [(mean, std), ([mean] * 3, [std] * 3)], path
    assert {path.relative_to(place).parts[0] for path in paths} == {
        'md_moco',
        'continual',
        'finetune',
    }


def test_environment_variables_come_before_the_fragment(monkeypatch):
    monkeypatch.setenv('MUSCLE_MEAN', '100')
    monkeypatch.setenv('MUSCLE_STD', '50.5')
    path = next((CONFIGS / 'finetune' / 'mura').glob('*.py'))
    assert list(normalisations(Config.fromfile(path).model)) == [([100.0] * 3, [50.5] * 3)]


def test_report_and_pictures(run_tool, data_root, tmp_path, capsys):
    pictures = tmp_path / 'new' / 'pictures'
    code = run_tool(
        'compute_stats.py', data_root, '--report', tmp_path / 'r.json', '--pictures', pictures
    )
    assert code == 0
    shown = capsys.readouterr().out
    assert 'bright: normal 2 (66.7%), sick 1 (33.3%)' in shown
    report = json.loads((tmp_path / 'r.json').read_text())
    assert [one['images'] for one in report['sets']] == [3, 3]
    assert {path.name for path in pictures.iterdir()} == {
        'grey_values.png',
        'sizes.png',
        'classes.png',
    }


@pytest.mark.parametrize(
    ('out', 'reason'),
    [
        ('normalisation.txt', 'its name ends in .py'),
        ('statistics.py', "would hide Python's own module statistics"),
        ('missing/normalisation.py', 'does not exist. Make it first'),
        ('folder.py', 'is a folder'),
    ],
)
def test_a_bad_place_is_refused_before_anything_is_read(out, reason, run_tool, tmp_path, capsys):
    (tmp_path / 'folder.py').mkdir()
    assert run_tool('compute_stats.py', tmp_path / 'no_data', '--out', tmp_path / out) == 1
    assert reason in capsys.readouterr().err


def test_pictures_need_a_folder(run_tool, tmp_path, capsys):
    (tmp_path / 'file').touch()
    assert run_tool('compute_stats.py', tmp_path / 'no_data', '--pictures', tmp_path / 'file') == 1
    assert 'file is a file, expected a folder' in capsys.readouterr().err


def test_a_folder_without_data_is_named(run_tool, tmp_path, capsys):
    assert run_tool('compute_stats.py', tmp_path / 'nothing') == 1
    assert 'nothing does not exist' in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_refused_first(run_tool, data_root, tmp_path, capsys):
    assert run_tool('compute_stats.py', data_root, '--report', tmp_path) == 1
    output = capsys.readouterr()
    assert 'is a folder, expected a file' in output.err and 'dark' not in output.out

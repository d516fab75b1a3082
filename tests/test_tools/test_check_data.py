# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from muscle_mm.datasets.manifest import write_manifest


@pytest.fixture
def write_set(tmp_path):
    """Write a prepared set: its name, and the split and the number of each drawn film."""

    def write(name, *films):
        folder = tmp_path / 'data' / name
        folder.mkdir(parents=True)
        records = []
        for place, (split, number) in enumerate(films):
            path = folder / f'{place}.png'
            pixels = np.random.default_rng(number).integers(0, 256, (40, 40), dtype=np.uint8)
            Image.fromarray(pixels).save(path)
            record = {'img_path': path.name, 'split': split, 'height': 40, 'width': 40}
            record['sha256'] = hashlib.sha256(path.read_bytes()).hexdigest()
            records.append(record)
        metainfo = {'dataset': name, 'task': 'none', 'source_root': '.'}
        write_manifest(folder / 'manifest.json', metainfo, records)
        return folder

    return write


def test_leak_is_found_fixed_and_gone(run_tool, write_set, tmp_path, capsys):
    write_set('films', ('train', 0), ('train', 1))
    write_set('tested', ('train', 2), ('test', 1))
    data, report = tmp_path / 'data', tmp_path / 'report.json'

    assert run_tool('check_data.py', data, '--report', report) == 1
    shown = capsys.readouterr()
    assert '[train] films: 1.png\n        [test] tested: 1.png' in shown.out
    assert 'films: 100%' in shown.err
    assert json.loads(report.read_text())['counts'] == {'leak': 1}

    assert run_tool('check_data.py', data, '--fix') == 0
    assert 'films: 2 images, 1 left out by' in capsys.readouterr().out
    assert run_tool('check_data.py', data / 'tested', data / 'films', '--workers', 1) == 0
    assert 'nothing found' in capsys.readouterr().out


def test_warnings_alone_are_clean(run_tool, write_set, capsys):
    assert run_tool('check_data.py', write_set('films', ('train', 0), ('train', 0))) == 0
    assert 'warning: 1 films are copies of another one' in capsys.readouterr().out


def test_mistake_is_one_message(run_tool, tmp_path, capsys):
    assert run_tool('check_data.py', tmp_path / 'nowhere') == 1
    assert 'nowhere does not exist or is not a folder' in capsys.readouterr().err


@pytest.mark.parametrize(
    'arguments', [(), ('data', '--threshold', 128), ('data', '--workers', 0), ('data', '--force')]
)
def test_wrong_usage(run_tool, arguments, capsys):
    assert run_tool('check_data.py', *arguments) == 2
    assert 'usage: ' in capsys.readouterr().err

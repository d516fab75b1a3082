# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import csv
import json
import pickle

import numpy as np
import pytest
from PIL import Image

from muscle_mm.datasets.cache import build_cache
from muscle_mm.datasets.preparation import prepare

CLASSES = {
    'classification': ('NORMAL', 'PNEUMONIA'),
    'segmentation': ('background', 'lung'),
    'detection': ('active', 'latent'),
}


def write_film(path, seed=0, size=(50, 42)):
    """Write a film of blobs, so that a network has something to tell apart."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 5), dtype=np.uint8)
    Image.fromarray(coarse).resize(size[::-1], Image.Resampling.BICUBIC).save(path)
    return path


@pytest.fixture
def films(tmp_path):
    """Four films in two folders, two of one name, beside a file that is no film."""
    folder = tmp_path / 'films'
    for seed, name in enumerate(('a/film.png', 'b/film.png', 'b/film.tif', 'c $x$ \n,é.jpg')):
        write_film(folder / name, seed)
    (folder / 'a/broken.dcm').write_bytes(b'x' * 200)
    (folder / 'a/notes.txt').write_text('passed over')
    return folder


@pytest.fixture
def test_set(tmp_path):
    """Prepare three test films, all of one size, as the set of a task; give their folder."""

    def write(kind):
        source = tmp_path / 'test_films'
        paths = []
        for split, seeds in (('train', (8,)), ('val', (9,)), ('test', (1, 2, 3))):
            for seed in seeds:
                name = f'{seed}.png'
                if kind == 'classification':
                    name = f'{CLASSES[kind][seed % 2]}/{name}'
                else:
                    name = f'images/{name}'
                paths.append(write_film(source / split / name, seed))
                if kind == 'segmentation':
                    mask = np.zeros((50, 42), np.uint8)
                    mask[10:30, 5:20] = 255
                    (source / split / 'masks').mkdir(exist_ok=True)
                    Image.fromarray(mask).save(source / split / 'masks' / f'{seed}.png')
            if kind == 'detection':
                content = {
                    'images': [
                        {'id': seed, 'file_name': f'{seed}.png', 'height': 50, 'width': 42}
                        for seed in seeds
                    ],
                    'categories': [
                        {'id': number, 'name': name} for number, name in enumerate(CLASSES[kind], 1)
                    ],
                    'annotations': [
                        {'id': seed, 'image_id': seed, 'category_id': 1, 'bbox': [5, 5, 20, 20]}
                        for seed in seeds
                    ],
                }
                (source / split / 'annotations.json').write_text(json.dumps(content))
        layout, folder = {
            'classification': ('XrayFolder', 'pneumonia'),
            'segmentation': ('XrayMaskFolder', 'chest_xray_masks'),
            'detection': ('XrayBoxFolder', 'tbx'),
        }[kind]
        classes = None if kind == 'detection' else CLASSES[kind]
        out = tmp_path / 'data' / folder
        prepare(layout, source, out, classes=classes, progress=False)
        return source / 'test' / ('' if kind == 'classification' else 'images')

    return write


def read(out):
    """Give rows of the table and content of the JSON file."""
    with open(out / 'predictions.csv', newline='', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    return rows, json.loads((out / 'predictions.json').read_text())


@pytest.mark.parametrize(
    ('kind', 'cache'), [*((kind, None) for kind in CLASSES), ('classification', 16)]
)
def test_predicts_what_the_test_tool_measures(
    kind, cache, run_tool, small_model, test_set, tmp_path
):
    folder = test_set(kind)
    options = {}
    if cache is not None:
        build_cache(tmp_path / 'data/pneumonia/manifest.json', cache, progress=False)
        options = {'test_dataloader.dataset.cache': cache}
    config, checkpoint = small_model(kind, CLASSES[kind], **options)
    dumped = tmp_path / 'test.pkl'
    arguments = [config, checkpoint, '--work-dir', tmp_path / 'work', '--out', dumped]
    assert run_tool('test.py', *arguments) == 0
    out = tmp_path / 'out'
    options = ['--no-pictures', '--score-threshold', 0, '--device', 'cpu', '--batch-size', 2]
    assert run_tool('predict.py', checkpoint, folder, '--out', out, *options) == 0
    found = {film['file']: film for film in read(out)[1]['films']}
    expected = pickle.loads(dumped.read_bytes())
    assert len(found) == len(expected) == 3
    for sample in expected:
        film = found[str(sample['img_path'])]
        if kind == 'classification':
            scores = sample['pred_score'].tolist()
            assert list(film['probabilities'].values()) == pytest.approx(scores, abs=1e-6)
        elif kind == 'segmentation':
            mask = sample['pred_sem_seg']['data'].squeeze().numpy()
            written = np.asarray(Image.open(out / film['mask']))
            np.testing.assert_array_equal(written, np.where(mask == 1, 255, 0))
            assert film['areas']['lung']['pixels'] == int((mask == 1).sum())
        else:
            boxes = sample['pred_instances']
            assert len(boxes['scores']) > 0
            values = [
                [box[key] for key in ('x1', 'y1', 'x2', 'y2', 'score')] for box in film['boxes']
            ]
            wanted = np.c_[boxes['bboxes'].numpy(), boxes['scores'].numpy()]
            wanted = wanted[np.argsort(-wanted[:, 4], kind='stable')]
            np.testing.assert_allclose(values, wanted, rtol=1e-6, atol=1e-6)
    answers = {json.dumps({**film, 'file': '', 'mask': ''}) for film in found.values()}
    assert len(answers) == 3


@pytest.mark.parametrize('kind', list(CLASSES))
def test_a_picture_for_each_film_and_a_reason_for_each_broken_one(
    kind, run_tool, small_model, films, tmp_path
):
    if kind == 'classification':
        pytest.importorskip('captum')
    out = tmp_path / 'out'
    checkpoint = small_model(kind, CLASSES[kind])[1]
    assert run_tool('predict.py', checkpoint, films, '--out', out, '--device', 'cpu') == 0
    rows, content = read(out)
    names = ['a/broken.dcm', 'a/film.png', 'b/film.png', 'b/film.tif', 'c $x$ \n,é.jpg']
    assert [film['file'] for film in content['films']] == [str(films / name) for name in names]
    assert list(dict.fromkeys(row['file'] for row in rows)) == [str(films / name) for name in names]
    assert rows[0]['problem'] and not rows[0]['picture']
    assert not any(row['problem'] for row in rows[1:])
    for name, film in zip(names[1:], content['films'][1:], strict=True):
        assert film['picture'] == f'pictures/{name}.png'
        assert Image.open(out / film['picture']).height > 600
    assert not list(out.rglob('*.part'))


def test_the_threshold_decides_and_is_written_down(run_tool, small_model, films, tmp_path):
    checkpoint = small_model(
        'classification', CLASSES['classification'], **{'test_evaluator.threshold': 0.0}
    )[1]
    called = {}
    for threshold in (None, 1):
        out = tmp_path / f'out{threshold}'
        options = [] if threshold is None else ['--threshold', threshold]
        arguments = [checkpoint, films / 'b', '--out', out, '--no-pictures', *options]
        assert run_tool('predict.py', *arguments) == 0
        rows, content = read(out)
        called[content['threshold']] = {row['class'] for row in rows}
    assert called == {0.0: {'PNEUMONIA'}, 1.0: {'NORMAL'}}


def test_nothing_readable_is_an_error_with_a_table(run_tool, small_model, films, tmp_path, capsys):
    checkpoint = small_model('classification', CLASSES['classification'])[1]
    out = tmp_path / 'out'
    assert run_tool('predict.py', checkpoint, films / 'a/broken.dcm', '--out', out) == 1
    assert 'no film could be read' in capsys.readouterr().err
    assert len(read(out)[0]) == 1


def test_results_are_not_overwritten_unless_told(run_tool, small_model, films, tmp_path, capsys):
    checkpoint = small_model('classification', CLASSES['classification'])[1]
    arguments = [checkpoint, films, '--out', films / 'out', '--no-pictures']
    assert run_tool('predict.py', *arguments) == 0
    first = read(films / 'out')
    assert run_tool('predict.py', *arguments) == 1
    assert 'is not an empty folder' in capsys.readouterr().err
    write_film(films / 'out/pictures/old.png')
    assert run_tool('predict.py', *arguments, '--overwrite') == 0
    assert read(films / 'out') == first


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--batch-size', '0'], '--batch-size 0 must be at least 1'),
        (['--workers', '0'], 'workers=0 must be at least 1'),
        (['--frame', '-1'], '--frame -1 must be counted from 0'),
        (['--config', 'nowhere.py'], 'config nowhere.py does not exist'),
        (['--task', 'lung'], 'has one task only'),
        (['--threshold', '0.5'], '--threshold is for classification'),
    ],
)
def test_wrong_options_are_one_message(
    options, message, run_tool, small_model, films, tmp_path, capsys
):
    checkpoint = small_model('detection', CLASSES['detection'])[1]
    arguments = [checkpoint, films, '--out', tmp_path / 'out', *options]
    assert run_tool('predict.py', *arguments) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()

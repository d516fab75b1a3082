# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Statistics of the training images, against NumPy over all pixels."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from muscle_mm.datasets import XrayDataset, read_xray
from muscle_mm.datasets.exclusions import write_exclusions
from muscle_mm.datasets.manifest import read_manifest, write_manifest
from muscle_mm.datasets.preparation import prepare
from muscle_mm.datasets.statistics import compute_statistics, write_fragment
from muscle_mm.utils.errors import UserError

SHAPES = [(1, 2), (7, 31), (64, 5), (40, 40)]


@pytest.fixture
def folder(tmp_path):
    """A prepared folder of films that differ in size, brightness and depth."""
    source = tmp_path / 'films'
    source.mkdir()
    random = np.random.default_rng(0)
    for number, shape in enumerate(SHAPES):
        film = random.integers(0, 60 * (number + 1), shape, dtype=np.uint8)
        film.flat[0] = 7 + number
        film.flat[-1] = 3
        Image.fromarray(film).save(source / f'{number}.png')
    Image.fromarray(random.integers(0, 4000, (9, 8), dtype=np.uint16)).save(source / 'deep.png')
    prepare('XrayFolder', source, tmp_path / 'own', progress=False, inverted='3.png')
    return tmp_path / 'own'


def measure(*roots, **options):
    return compute_statistics(roots, progress=False, **options)


def training_films(root):
    samples = XrayDataset(data_root=str(root), split='train')
    films = [(sample, read_xray(sample['img_path'])) for sample in samples]
    return [255 - film if sample.get('inverted') else film for sample, film in films]


def test_mean_and_deviation_are_those_of_all_pixels_with_films_of_equal_weight(folder):
    films = training_films(folder)
    weights = np.concatenate([np.full(film.size, 1 / film.size / len(films)) for film in films])
    pixels = np.concatenate([film.ravel() for film in films]).astype(float)
    mean = np.average(pixels, weights=weights)
    (own,) = measure(folder).sets
    assert own.mean == pytest.approx(mean, rel=1e-12)
    deviation = np.sqrt(np.average((pixels - mean) ** 2, weights=weights))
    assert own.std == pytest.approx(deviation, rel=1e-12)
    # The average film: a large film weighs no more than a small one.
    assert own.mean == pytest.approx(np.mean([film.mean() for film in films]), rel=1e-12)


def test_sizes_and_depths(folder):
    (own,) = measure(folder).sets
    read = [film.shape for film in training_films(folder)]
    assert list(zip(own.heights, own.widths, strict=True)) == read
    assert own.height == (min(h for h, _ in read), np.median([h for h, _ in read]), 64)
    assert own.aspect_ratio.max == max(w / h for h, w in read)
    assert own.bits == {8: len(read) - 1, 16: 1}


def test_manifests_without_depths_are_read(folder):
    metainfo, records = read_manifest(folder / 'manifest.json')
    for record in records:
        del record['bits']
    write_manifest(folder / 'manifest.json', metainfo, records)
    statistics = measure(folder)
    assert statistics.together.bits == {None: len(records)}
    assert f'unknown ({len(records)})' in str(statistics)


def test_several_sets_alone_and_together(prepared):
    names = ('PneumoniaCXR', 'TBX', 'ChestXrayMasks')
    roots = [prepared(name) for name in names]
    statistics = measure(*roots)
    assert sorted(one.name for one in statistics.sets) == sorted(names)
    films = [film for root in roots for film in training_films(root)]
    mean = np.mean([film.mean() for film in films])
    squares = np.mean([np.square(film, dtype=float).mean() for film in films])
    assert statistics.together.images == len(films)
    assert statistics.together.mean == pytest.approx(mean)
    assert statistics.together.std == pytest.approx(np.sqrt(squares - mean**2))
    assert str(measure(roots[0].parent)) == str(statistics)


def training_samples(root):
    return list(XrayDataset(data_root=str(root), split='train'))


def test_classes(prepared):
    root = prepared('PneumoniaCXR')
    counts = Counter(sample['gt_label'] for sample in training_samples(root))
    statistics = measure(root)
    assert statistics.sets[0].class_counts == {'normal': counts[0], 'pneumonia': counts[1]}
    share = 100 * counts[0] / counts.total()
    assert f'PneumoniaCXR: normal {counts[0]} ({share:.1f}%), pneu' in str(statistics)


def test_boxes(prepared):
    root = prepared('TBX')
    counts = Counter(
        box['bbox_label'] for sample in training_samples(root) for box in sample['instances']
    )
    statistics = measure(root)
    classes = statistics.sets[0].classes
    assert statistics.sets[0].class_counts == {classes[key]: counts[key] for key in counts}
    assert f'{classes[0]} {counts[0]} boxes (' in str(statistics)


def test_masks(prepared):
    root = prepared('ChestXrayMasks')
    masks = [
        read_xray(sample['seg_map_path'], (0, 100)) == 255 for sample in training_samples(root)
    ]
    share = np.mean([mask.mean() for mask in masks])
    statistics = measure(root)
    assert statistics.sets[0].object_share == pytest.approx(share)
    assert f'ChestXrayMasks: lung {100 * share:.1f}% of the pixels' in str(statistics)


def test_exclusions_are_heeded(folder):
    write_exclusions(folder / 'exclusions.csv', {'deep.png': 'leak: a copy'})
    assert measure(folder).together.bits == {8: len(SHAPES)}


def test_processes_make_no_difference(tmp_path):
    source = tmp_path / 'films'
    source.mkdir()
    for number in range(70):
        pixels = np.random.default_rng(number).integers(0, 255, (5, 4 + number), dtype=np.uint8)
        Image.fromarray(pixels).save(source / f'{number}.png')
    prepare('XrayFolder', source, tmp_path / 'own', progress=False, workers=1)
    (source / '33.png').unlink()
    one, two = (measure(tmp_path / 'own', workers=number) for number in (1, 2))
    assert one.together.as_dict() == two.together.as_dict()
    assert one.together.images == 69


def test_unreadable_files_are_listed_and_left_out(folder, tmp_path):
    expected = measure(folder).together.images
    images = {Path(s['img_path']).name: Path(s['img_path']) for s in XrayDataset(str(folder))}
    images['0.png'].write_bytes(b'')
    images['1.png'].unlink()
    statistics = measure(folder)
    assert statistics.together.images == expected - 2
    report = str(statistics)
    assert 'cannot be read: 2 files' in report
    assert f'{images["0.png"]}: the file is empty' in report
    assert f'{images["1.png"]}: the file does not exist' in report
    statistics.write(tmp_path / 'new' / 'report.json')
    content = json.loads((tmp_path / 'new' / 'report.json').read_text())
    unreadable = content['sets'][0]['unreadable']
    assert [Path(row['img_path']).name for row in unreadable] == ['0.png', '1.png']
    assert sum(content['together']['grey_values']) == pytest.approx(1)


def test_a_set_that_cannot_be_read_at_all_is_a_row_beside_others(folder, prepared):
    other = prepared('NIHCC')
    for sample in XrayDataset(str(other)):
        Path(sample['img_path']).unlink()
    statistics = measure(folder, other)
    assert [(one.name, one.images > 0) for one in statistics.sets] == [
        ('NIHCC', False),
        ('own', True),
    ]
    assert statistics.together.mean == measure(folder).together.mean
    assert 'NIHCC' in str(statistics)
    with pytest.raises(UserError, match=r'no training image that can be read\. The first: .*exist'):
        measure(other)


def test_a_set_without_training_images_is_named(folder, tmp_path, film):
    for split in ('val', 'test'):
        film(tmp_path / 'held_out' / split / 'sick' / f'{split}.png', 1)
    out = tmp_path / 'tested'
    prepare('XrayFolder', tmp_path / 'held_out', out, progress=False, official_split=True)
    statistics = measure(folder, out)
    assert 'Without training images: tested' in str(statistics)
    with pytest.raises(UserError, match='No set has the split "train"'):
        measure(out)


def test_two_sets_of_one_name_are_told_apart(folder, tmp_path):
    prepare('XrayFolder', tmp_path / 'films', tmp_path / 'b', progress=False, set_name='own')
    names = [one.name for one in measure(folder, tmp_path / 'b').sets]
    assert sorted(names) == ['own (b)', 'own (own)']


def test_the_fragment_survives_any_name(folder, tmp_path):
    statistics = measure(folder)
    statistics.sets[0].name = 'Köln """\\'
    write_fragment(tmp_path / 'normalisation.py', statistics)
    config = Config.fromfile(tmp_path / 'normalisation.py')
    assert config.mean == pytest.approx(statistics.together.mean, abs=1e-4)
    assert config.std == pytest.approx(statistics.together.std, abs=1e-4)


def test_films_of_one_value_give_no_fragment(tmp_path, folder):
    for sample in XrayDataset(str(folder)):
        value = 246 if sample.get('inverted') else 9
        Image.fromarray(np.full((4, 4), value, np.uint8)).save(sample['img_path'])
    statistics = measure(folder)
    assert (statistics.together.mean, statistics.together.std) == (9, 0)
    with pytest.raises(UserError, match='all pixels of all training films are equal'):
        write_fragment(tmp_path / 'normalisation.py', statistics)

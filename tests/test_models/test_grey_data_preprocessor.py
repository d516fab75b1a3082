# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from mmengine.structures import PixelData

from muscle_mm.registry import MODELS
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.toolbox import require_toolbox

VALUES = dict(mean=[128.0] * 3, std=[50.0] * 3)


def films(*sizes):
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randint(0, 256, (1, *size), dtype=torch.uint8, generator=generator) for size in sizes
    ]


def both(kind, batch, **options):
    """The toolbox's own preprocessor on expanded films, and ours around it on grey ones."""
    scope = kind.split('.')[0]
    try:
        require_toolbox(scope, 'this test')
    except UserError as error:
        pytest.skip(str(error))
    config = dict(type=kind, **VALUES, **options)
    own = MODELS.build(dict(type='muscle_mm.GreyDataPreprocessor', preprocessor=config))
    samples = batch['data_samples']
    expanded = [film.expand(3, -1, -1) for film in batch['inputs']]
    expected = MODELS.build(config)(dict(inputs=expanded, data_samples=samples))
    return own(batch)['inputs'], expected['inputs']


@pytest.mark.parametrize('collated', [list, torch.stack])
def test_a_classifiers_batch_is_what_mmpretrain_makes_of_single_films(collated):
    batch = films((9, 11), (9, 11), (9, 11))
    found, expected = both(
        'mmpretrain.ClsDataPreprocessor', dict(inputs=collated(batch), data_samples=None)
    )
    assert found.shape == (3, 3, 9, 11)
    assert torch.equal(found, expected)


def test_films_of_different_sizes_are_left_to_mmpretrain():
    batch = dict(inputs=films((9, 11), (12, 8)), data_samples=None)
    found, expected = both('mmpretrain.ClsDataPreprocessor', batch)
    assert found.shape == (2, 3, 12, 11)
    assert torch.equal(found, expected)


@pytest.mark.parametrize('sizes', [((9, 11), (9, 11)), ((9, 11), (12, 8))])
def test_segmentation_gets_films_one_by_one(sizes):
    require = pytest.importorskip('mmseg.structures')
    samples = [
        require.SegDataSample(
            gt_sem_seg=PixelData(data=torch.zeros(1, *size)), metainfo=dict(img_shape=size)
        )
        for size in sizes
    ]
    batch = dict(inputs=films(*sizes), data_samples=samples)
    own = MODELS.build(
        dict(
            type='muscle_mm.GreyDataPreprocessor',
            preprocessor=dict(type='mmseg.SegDataPreProcessor', **VALUES, size=(16, 16)),
        )
    )
    found = own(batch, training=True)['inputs']
    assert found.shape == (2, 3, 16, 16)
    for film, padded in zip(batch['inputs'], found, strict=True):
        height, width = film.shape[1:]
        assert torch.equal(padded[0, :height, :width], (film[0].float() - 128) / 50)


@pytest.mark.parametrize('sizes', [((9, 11), (9, 11)), ((9, 11), (12, 8))])
def test_detection_gets_films_one_by_one(sizes):
    structures = pytest.importorskip('mmdet.structures')
    samples = [structures.DetDataSample(metainfo=dict(img_shape=size)) for size in sizes]
    batch = dict(inputs=films(*sizes), data_samples=samples)
    found, expected = both('mmdet.DetDataPreprocessor', batch, pad_size_divisor=16)
    assert found.shape == (2, 3, 16, 16)
    assert torch.equal(found, expected)

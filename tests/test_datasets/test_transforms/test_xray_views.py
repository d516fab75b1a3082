# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import random

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from muscle_mm.datasets.transforms import XrayViews
from muscle_mm.registry import TRANSFORMS

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 30), np.uint8)
STILL = {
    'crop_scale': (1.0, 1.0),
    'rotation': 0,
    'brightness': 0,
    'contrast': 0,
    'blur_probability': 0,
    'flip_probability': 0,
}


def test_views_are_grey_bytes_and_nothing_else_is_returned():
    views = XrayViews(size=16)({'img': IMAGE, 'dataset': 'NIHCC', 'gt_label': 1})
    assert views.keys() == {'inputs', 'dataset'}
    assert views['dataset'] == 'NIHCC'
    assert len(views['inputs']) == 2
    for view in views['inputs']:
        assert view.shape == (1, 16, 16)
        assert view.dtype == torch.uint8
    assert not torch.equal(*views['inputs'])


def test_default_collate_makes_a_batch_of_each_view():
    transform = XrayViews(size=16, num_views=3)
    batch = default_collate([transform({'img': IMAGE}) for _ in range(4)])
    assert len(batch['inputs']) == 3
    assert batch['inputs'][0].shape == (4, 1, 16, 16)


def test_only_torch_decides():
    transform = XrayViews(size=16, erase_probability=0.5)

    def draw():
        torch.manual_seed(5)
        return torch.cat(transform({'img': IMAGE})['inputs'])

    first = draw()
    random.seed(1)
    np.random.seed(1)
    assert torch.equal(draw(), first)


def test_image_is_left_alone():
    before = IMAGE.copy()
    XrayViews(size=16)({'img': IMAGE})
    np.testing.assert_array_equal(IMAGE, before)


def test_every_step_can_be_turned_off():
    square = np.tile(np.arange(0, 240, 10, dtype=np.uint8), (24, 1))
    view = XrayViews(size=24, **STILL)({'img': square})['inputs'][0]
    # A square image and a crop of its whole area: only the drawn aspect ratio is left.
    assert view.float().mean() == pytest.approx(square.mean(), abs=12)


@pytest.mark.parametrize(
    'step',
    [
        {'rotation': 30},
        {'brightness': 0.9},
        {'contrast': 0.9},
        {'blur_probability': 1},
        {'flip_probability': 1},
        {'erase_probability': 1},
    ],
    ids=lambda step: next(iter(step)),
)
def test_every_step_changes_the_view(step):
    torch.manual_seed(0)
    still = XrayViews(size=16, **STILL)({'img': IMAGE})['inputs'][0]
    torch.manual_seed(0)
    changed = XrayViews(size=16, **{**STILL, **step})({'img': IMAGE})['inputs'][0]
    assert not torch.equal(still, changed)


def test_one_pixel_image():
    view = XrayViews(size=4)({'img': np.full((1, 1), 9, np.uint8)})['inputs'][0]
    assert view.shape == (1, 4, 4)


@pytest.mark.parametrize(
    'image', [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float32)], ids=['colour', 'float']
)
def test_other_images_are_refused(image):
    with pytest.raises(ValueError, match=r'takes a grey uint8 image .*muscle_mm\.LoadXray'):
        XrayViews(size=4)({'img': image})


@pytest.mark.parametrize(
    ('options', 'reason'),
    [({'size': 0}, 'size=0'), ({'num_views': 0}, 'num_views=0'), ({'crop_scale': (0, 1)}, 'crop_')],
)
def test_bad_options(options, reason):
    with pytest.raises(ValueError, match=f'XrayViews: .*{reason}'):
        XrayViews(**options)


def test_built_by_scope_alone():
    transform = TRANSFORMS.build({'type': 'muscle_mm.XrayViews', 'size': 8})
    assert repr(transform) == 'XrayViews(size=8, num_views=2)'

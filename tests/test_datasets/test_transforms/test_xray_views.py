# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import random

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from muscle_mm.datasets.transforms import XrayViews
from muscle_mm.registry import TRANSFORMS
from muscle_mm.utils.errors import UserError

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 30), np.uint8)
STILL = {
    'crop_scale': (1.0, 1.0),
    'rotation': 0,
    'brightness': 0,
    'contrast': 0,
    'blur_probability': 0,
    'flip_probability': 0,
}
EVERYTHING = {'blur_probability': 1, 'flip_probability': 1, 'erase_probability': 1}


def one_view(image, seed=0, **options):
    random.seed(seed)
    return XrayViews(num_views=1, **options)({'img': image})['inputs'][0][0].numpy()


def blobs(height, width, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 8).astype(float)
    return np.clip((smooth - smooth.mean()) * 8 + 110, 0, 255).astype(np.uint8)


def test_views_are_grey_bytes_and_nothing_else_is_returned():
    sample = {'img': IMAGE, 'dataset': 'NIHCC', 'img_path': '/films/1.png', 'gt_label': 1}
    views = XrayViews(size=16)(sample)
    assert views.keys() == {'inputs', 'dataset', 'img_path'}
    assert views['dataset'] == 'NIHCC'
    assert views['img_path'] == '/films/1.png'
    assert len(views['inputs']) == 2
    for view in views['inputs']:
        assert view.shape == (1, 16, 16)
        assert view.dtype == torch.uint8
        assert view.is_contiguous()
    assert not torch.equal(*views['inputs'])


def test_default_collate_makes_a_batch_of_each_view():
    transform = XrayViews(size=16, num_views=3)
    batch = default_collate([transform({'img': IMAGE}) for _ in range(4)])
    assert len(batch['inputs']) == 3
    assert batch['inputs'][0].shape == (4, 1, 16, 16)


def test_only_pythons_generator_decides():
    transform = XrayViews(size=16, **EVERYTHING)

    def draw():
        random.seed(5)
        return torch.cat(transform({'img': IMAGE})['inputs'])

    first = draw()
    np.random.seed(1)
    torch.manual_seed(1)
    assert torch.equal(draw(), first)


@pytest.mark.parametrize('options', [EVERYTHING, {**STILL, 'erase_probability': 1}])
def test_image_is_left_alone(options):
    # As large as the view, so that a step that is left out must not hand the film itself on.
    image = np.random.default_rng(0).integers(0, 256, (16, 16), np.uint8)
    before = image.copy()
    for seed in range(20):
        one_view(image, seed, size=16, **options)
    np.testing.assert_array_equal(image, before)


def test_a_film_that_must_not_be_written_to_is_fine():
    image = IMAGE.copy()
    image.flags.writeable = False
    assert one_view(image, size=16, **EVERYTHING).shape == (16, 16)


def test_every_step_can_be_turned_off():
    square = np.tile(np.arange(0, 240, 10, dtype=np.uint8), (24, 1))
    view = one_view(square, size=24, **STILL)
    # A square image and a crop of its whole area: only the drawn aspect ratio is left.
    assert view.mean() == pytest.approx(square.mean(), abs=18)
    np.testing.assert_array_equal(view, np.tile(view[0], (24, 1)))


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
    still = one_view(IMAGE, size=16, **STILL)
    changed = one_view(IMAGE, size=16, **{**STILL, **step})
    assert not np.array_equal(still, changed)


@pytest.mark.parametrize('size', [1, 4, 224])
@pytest.mark.parametrize(
    'shape', [(1, 1), (1, 9), (9, 1), (2, 3), (7, 7), (3, 700), (3000, 40), (100, 80), (701, 703)]
)
@pytest.mark.parametrize('rotation', [0, 25])
def test_odd_sizes(shape, size, rotation):
    film = np.full(shape, 120, np.uint8)
    for seed in range(5):
        view = one_view(film, seed, size=size, rotation=rotation, erase_probability=0.5)
        assert view.shape == (size, size)


@pytest.mark.parametrize('shape', [(1, 1), (60, 40), (333, 501), (900, 1200)])
def test_a_film_of_one_value_gives_views_of_one_value(shape):
    options = {'rotation': 0, 'brightness': 0, 'contrast': 0.4, 'blur_probability': 1}
    for seed in range(10):
        assert np.ptp(one_view(np.full(shape, 120, np.uint8), seed, size=64, **options)) == 0


def test_a_turned_view_is_black_outside_the_film_alone():
    film = np.full((300, 300), 120, np.uint8)
    still = {**STILL, 'rotation': 45}
    view = one_view(film, seed=2, size=64, **still)
    assert {0, 120} < set(np.unique(view))
    # Between black and the film lies one pixel of their mixture.
    assert np.isin(view, (0, 120)).mean() > 0.9
    small = one_view(film, seed=2, size=64, **{**still, 'crop_scale': (0.2, 0.2), 'rotation': 1})
    assert (small == 120).mean() > 0.9


def test_a_turned_view_shows_the_corners_that_the_film_has():
    views = [
        one_view(
            np.full((900, 900), 120, np.uint8),
            seed,
            size=64,
            crop_scale=(0.05, 0.05),
            rotation=10,
            brightness=0,
            contrast=0,
        )
        for seed in range(30)
    ]
    # Most crops of a twentieth of the film lie inside it, turned or not.
    assert sum((view == 120).all() for view in views) > 15


def test_contrast_keeps_the_mean_and_scales_the_spread():
    film = np.clip(np.random.default_rng(0).normal(128, 12, (64, 64)), 0, 255).astype(np.uint8)
    ratios = []
    for seed in range(40):
        still = one_view(film, seed, size=64, **STILL).astype(float)
        changed = one_view(film, seed, size=64, **{**STILL, 'contrast': 0.4}).astype(float)
        assert changed.mean() == pytest.approx(still.mean(), abs=0.6)
        ratios.append(changed.std() / still.std())
    assert 0.58 < min(ratios) < 0.75
    assert 1.25 < max(ratios) < 1.42


def test_brightness_scales_every_grey_value():
    film = blobs(64, 64) // 2
    ratios = []
    for seed in range(40):
        still = one_view(film, seed, size=64, **STILL).astype(float)
        changed = one_view(film, seed, size=64, **{**STILL, 'brightness': 0.4}).astype(float)
        ratio = changed.mean() / still.mean()
        np.testing.assert_allclose(changed, still * ratio, atol=1)
        ratios.append(ratio)
    assert 0.58 < min(ratios) < 0.75
    assert 1.25 < max(ratios) < 1.42


def test_blur_keeps_the_mean_and_calms_the_view():
    film = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    spreads = []
    for seed in range(20):
        still = one_view(film, seed, size=64, **STILL).astype(float)
        blurred = one_view(film, seed, size=64, **{**STILL, 'blur_probability': 1}).astype(float)
        assert blurred.mean() == pytest.approx(still.mean(), abs=1)
        spreads.append(blurred.std() / still.std())
    assert max(spreads) <= 1
    assert min(spreads) < 0.3


def test_an_erased_rectangle_is_black_and_of_the_documented_area():
    film = np.full((64, 64), 120, np.uint8)
    areas = []
    for seed in range(60):
        rows, columns = np.nonzero(
            one_view(film, seed, size=64, **{**STILL, 'erase_probability': 1}) == 0
        )
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        areas.append(len(rows) / 64**2)
    assert 0.015 < min(areas) < 0.06
    assert 0.25 < max(areas) < 0.34


def test_fine_stripes_do_not_alias():
    stripes = np.zeros((1024, 1024), np.uint8)
    stripes[:, ::2] = 255
    for rotation in (0, 10):
        view = one_view(stripes, size=128, **{**STILL, 'rotation': rotation})
        inside = view[40:88, 40:88]
        assert inside.mean() == pytest.approx(127.5, abs=2)
        assert inside.std() < 2


@pytest.mark.parametrize('shape', [(512, 620), (256, 256), (150, 190)])
def test_views_are_distributed_as_torchvisions(shape):
    from torchvision.transforms import v2

    film = blobs(*shape)
    tensor = torch.from_numpy(film)[None]
    torchvisions = v2.Compose(
        [
            v2.RandomResizedCrop(64, scale=(0.2, 1.0), antialias=True),
            v2.RandomHorizontalFlip(),
            v2.ColorJitter(brightness=0.4, contrast=0.4),
            v2.RandomApply([v2.GaussianBlur(13, (0.1, 2.0))], 0.5),
        ]
    )
    random.seed(0)
    torch.manual_seed(0)
    transform = XrayViews(size=64, num_views=1, rotation=0)
    ours = torch.stack([transform({'img': film})['inputs'][0] for _ in range(300)]).float()
    theirs = torch.stack([torchvisions(tensor) for _ in range(300)]).float()
    for measure in (
        lambda views: views.mean((1, 2, 3)),
        lambda views: views.std((1, 2, 3)),
        lambda views: views.diff(dim=3).abs().mean((1, 2, 3)),
    ):
        own, other = measure(ours), measure(theirs)
        assert own.mean().item() == pytest.approx(other.mean().item(), rel=0.12)
        assert own.std().item() == pytest.approx(other.std().item(), rel=0.25)


@pytest.mark.parametrize(
    'image',
    [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float32), np.zeros((0, 4), np.uint8)],
    ids=['colour', 'float', 'empty'],
)
def test_other_images_are_refused(image):
    with pytest.raises(UserError, match=r'takes a grey uint8 image .*muscle_mm\.LoadXray'):
        XrayViews(size=4)({'img': image})


@pytest.mark.parametrize(
    ('options', 'reason'),
    [
        ({'size': 0}, 'size=0'),
        ({'num_views': 0}, 'num_views=0'),
        ({'crop_scale': (0, 1)}, 'crop_scale='),
        ({'crop_scale': (0.5, 0.2)}, 'crop_scale='),
        ({'rotation': -1}, 'rotation=-1 must be from 0 to 180'),
        ({'brightness': 1.5}, 'brightness=1.5 must be from 0 to 1'),
        ({'contrast': -0.1}, 'contrast=-0.1'),
        ({'blur_probability': 2}, 'blur_probability=2'),
        ({'flip_probability': float('nan')}, 'flip_probability=nan'),
        ({'erase_probability': -1}, 'erase_probability=-1'),
    ],
)
def test_bad_options(options, reason):
    with pytest.raises(UserError, match=f'XrayViews: .*{reason}'):
        XrayViews(**options)


def test_built_by_scope_alone():
    transform = TRANSFORMS.build({'type': 'muscle_mm.XrayViews', 'size': 8})
    assert repr(transform) == 'XrayViews(size=8, num_views=2)'

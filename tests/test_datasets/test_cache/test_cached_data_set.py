# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from muscle_mm.datasets import LoadXray, MultiXrayDataset, XrayDataset
from muscle_mm.datasets.preparation import prepare
from muscle_mm.datasets.samplers import EpochSampler
from muscle_mm.registry import TRANSFORMS
from muscle_mm.utils.errors import UserError

PIPELINE = [{'type': 'muscle_mm.LoadXray'}, {'type': 'muscle_mm.XrayViews', 'size': 16}]


def data_set(films, cache=32, **options):
    return XrayDataset(data_root=films.out, cache=cache, pipeline=[LoadXray()], **options)


def test_samples_hold_the_cached_film(films):
    films.build(32)
    cached = films.read(32)
    samples = list(data_set(films))
    assert len(samples) == 6
    for sample in samples:
        expected = cached[sample['img_path'].rsplit('/', 1)[1]]
        np.testing.assert_array_equal(sample['img'], expected)
        assert sample['img_shape'] == sample['ori_shape'] == expected.shape


def test_the_files_themselves_are_not_needed(films):
    films.build(32)
    samples = data_set(films)
    for path in films.source.iterdir():
        path.unlink()
    assert samples[0]['img'].dtype == np.uint8


def test_without_a_cache_the_files_are_read(films):
    shapes = {sample['img'].shape for sample in data_set(films, cache=None)}
    assert shapes == set(films.SHAPES.values())


def test_inverted_films_are_inverted_when_they_are_loaded(films):
    films.build(32)
    before = {sample['img_path']: sample['img'] for sample in data_set(films)}
    prepare('XrayFolder', films.source, films.out, inverted='*.png', progress=False)
    for sample in data_set(films):
        film = before[sample['img_path']]
        expected = 255 - film if sample['img_path'].endswith('.png') else film
        np.testing.assert_array_equal(sample['img'], expected)


def test_no_cache(films):
    with pytest.raises(
        UserError, match=r'cache_32\.json does not exist\. Build it: python tools/prepare_dataset'
    ):
        data_set(films)


def test_a_cache_of_another_state_of_the_set(films):
    films.build(32)
    films.write('square.png', (64, 64), seed=5)
    films.write('new.png', (20, 20))
    films.prepare()
    with pytest.raises(UserError, match=r"2 of 7 images are not in it.*first 'new\.png'"):
        data_set(films)
    films.build(32)
    assert len(data_set(films)) == 7


def test_images_that_are_left_out_need_not_be_in_the_cache(films):
    films.build(32)
    films.write('new.png', (20, 20))
    films.prepare()
    (films.out / 'exclusions.csv').write_text('img_path,reason\nnew.png,a copy\n')
    assert len(data_set(films)) == 6


def test_options_that_a_cache_cannot_serve(films):
    films.build(32)
    sample = XrayDataset(data_root=films.out, cache=32)[0]
    for options in ({'dtype': 'uint16'}, {'percentiles': (1, 99)}):
        with pytest.raises(UserError, match=r'does not fit a data set with cache='):
            LoadXray(**options)(dict(sample))


def test_masks_and_boxes_are_withheld(prepared):
    from muscle_mm.datasets import TBX, ChestXrayMasks
    from muscle_mm.datasets.cache import build_cache

    for cls, key in ((ChestXrayMasks, 'seg_map_path'), (TBX, 'instances')):
        out = prepared(cls.__name__)
        build_cache(f'{out}/manifest.json', 8, progress=False)
        sample = cls(data_root=out, cache=8)[0]
        assert key in sample
        loaded = LoadXray()(sample)
        assert min(loaded['img'].shape) == 8
        if key in loaded:
            with pytest.raises(UserError, match=r'a cache changes its scale'):
                len(loaded[key])


def _load(films, workers, epochs=2):
    """Load batches of the seeded samples of two epochs."""
    union = MultiXrayDataset(
        [{'type': 'muscle_mm.XrayDataset', 'data_root': str(films.out), 'cache': 32}] * 2,
        pipeline=[TRANSFORMS.build(step) for step in PIPELINE],
    )
    sampler = EpochSampler(union, seed=3)
    loader = DataLoader(union, batch_size=4, sampler=sampler, num_workers=workers)
    batches = []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        batches += list(loader)
    return batches


def test_workers_give_the_same_samples(films):
    films.build(32)
    alone, helped = _load(films, workers=0), _load(films, workers=2)
    assert len(alone) == len(helped) == 6
    for first, second in zip(alone, helped, strict=True):
        assert first['img_path'] == second['img_path']
        for view, other in zip(first['inputs'], second['inputs'], strict=True):
            assert torch.equal(view, other)
    assert not torch.equal(alone[0]['inputs'][0], alone[3]['inputs'][0])

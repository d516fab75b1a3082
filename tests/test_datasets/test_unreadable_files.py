# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A film that turns out to be unreadable while a training runs."""

import logging
import os
from pathlib import Path

import pytest
import torch
from mmengine.logging import MMLogger
from torch.utils.data import DataLoader

from muscle_mm.datasets import MURA, NIHCC, LoadXray, MultiXrayDataset
from muscle_mm.datasets.io import XrayReadError
from muscle_mm.utils.errors import UserError


def path_alone(sample):
    return {'img_path': sample['img_path'], 'dataset': sample['dataset']}


@pytest.fixture
def union(prepared):
    """NIHCC with 6 films and MURA with 40; may be built anew."""
    roots = prepared('NIHCC'), prepared('MURA')

    def build(**options):
        sets = [cls(data_root=root) for cls, root in zip((NIHCC, MURA), roots, strict=True)]
        union = MultiXrayDataset(sets, pipeline=[LoadXray(), path_alone], **options)
        union.seed_samples(0)
        return union

    return build


@pytest.fixture
def warnings_logged():
    """The messages that reach the log of the run."""
    messages = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    yield messages
    logger.removeHandler(handler)


def damage(union, *places):
    """Empty some files; give their paths."""
    paths = [union.get_data_info(place)['img_path'] for place in places]
    for path in paths:
        Path(path).write_bytes(b'')
    return paths


def test_another_film_of_the_same_set_takes_its_place(union, warnings_logged):
    dataset = union()
    (path,) = damage(dataset, 2)
    taken = [dataset[2 + 46 * epoch] for epoch in range(20)]
    assert {sample['dataset'] for sample in taken} == {'NIHCC'}
    taken_paths = {sample['img_path'] for sample in taken}
    assert path not in taken_paths and len(taken_paths) > 1
    assert [len(unreadable) for unreadable in dataset.unreadable] == [1, 0]
    assert len(warnings_logged) == 1
    assert path in warnings_logged[0] and 'zero bytes' in warnings_logged[0]
    assert '1 of 6 files are unreadable so far, at most 1 may be' in warnings_logged[0]


def test_the_replacement_depends_on_the_index_alone(union):
    first, second = union(), union()
    damage(first, 2)
    epochs = range(0, 46 * 8, 46)
    expected = [first[2 + start] for start in epochs]
    torch.manual_seed(9)
    assert [second[2 + start] for start in reversed(epochs)] == expected[::-1]


def test_too_many_stop_the_training_with_the_list(union):
    dataset = union(max_unreadable=0.5)
    paths = damage(dataset, 0, 1, 3, 4)
    os.unlink(paths[2])
    with pytest.raises(UserError) as stopped:
        for index in range(46):
            dataset[index]
    message = str(stopped.value)
    assert 'NIHCC: 4 of 6 files cannot be read; max_unreadable=0.5 allows 3' in message
    assert all(path in message for path in paths)
    assert message.count('zero bytes') == 3 and message.count('does not exist') == 1


def test_a_long_list_is_cut(union):
    dataset = union(max_unreadable=0.55)
    damage(dataset, *range(6, 29))
    with pytest.raises(
        UserError, match=r'(?s)MURA: 23 of 40 files.* allows 22.*and 3 more$'
    ) as stop:
        for index in range(6, 46):
            dataset[index]
    assert str(stop.value).count('zero bytes') == 20


def test_a_file_that_is_back_is_said_to_be(union):
    dataset = union(max_unreadable=0.2)
    path = Path(dataset.get_data_info(0)['img_path'])
    content = path.read_bytes()
    damage(dataset, 0, 1)
    assert dataset[0]['img_path'] != str(path)
    path.write_bytes(content)
    with pytest.raises(UserError, match='image 0 could not be read before, but can be now'):
        for index in range(1, 46, 46):
            dataset[index]


def test_zero_allows_none(union):
    dataset = union(max_unreadable=0)
    damage(dataset, 7)
    with pytest.raises(UserError, match='max_unreadable=0 allows 0'):
        dataset[7]


def test_a_set_without_any_readable_film_ends(union):
    dataset = union(max_unreadable=1)
    damage(dataset, *range(6))
    with pytest.raises(UserError, match='NIHCC: 6 of 6 files cannot be read'):
        dataset[0]


def test_workers_count_together(union):
    dataset = union(max_unreadable=0.5)
    paths = damage(dataset, 0, 3)
    samples = DataLoader(dataset, batch_size=2, num_workers=2, sampler=range(6))
    seen = {path for batch in samples for path in batch['img_path']}
    assert not seen & set(paths)
    # The two were met in two workers that have ended since.
    assert [len(unreadable) for unreadable in dataset.unreadable] == [2, 0]


def test_defects_are_not_hidden(union):
    def broken(sample):
        raise KeyError('a defect')

    dataset = MultiXrayDataset(union().datasets, pipeline=[broken])
    with pytest.raises(KeyError, match='a defect'):
        dataset[0]
    assert [len(unreadable) for unreadable in dataset.unreadable] == [0, 0]


@pytest.mark.parametrize('limit', [-0.1, 1.5])
def test_the_limit_is_a_fraction(union, limit):
    with pytest.raises(UserError, match=f'max_unreadable={limit} must be a fraction'):
        union(max_unreadable=limit)


@pytest.fixture
def single(prepared):
    """NIHCC alone, as step 3 reads a set."""
    root = prepared('NIHCC')

    def build(**options):
        return NIHCC(data_root=root, pipeline=[LoadXray(), path_alone], **options)

    return build


def test_a_set_of_its_own_replaces_and_counts_too(single, warnings_logged):
    dataset = single()
    (path,) = damage(dataset, 2)
    samples = DataLoader(dataset, batch_size=2, num_workers=2)
    assert path not in {path for batch in samples for path in batch['img_path']}
    assert len(dataset.unreadable) == 1
    dataset[2]
    assert len(warnings_logged) == 0  # it was met in a worker before
    damage(dataset, 4)
    with pytest.raises(UserError, match='NIHCC: 2 of 6 files cannot be read'):
        dataset[4]


@pytest.mark.parametrize('lazy_init', [False, True])
def test_a_single_set_has_its_own_limit(single, lazy_init):
    dataset = single(max_unreadable=0.5, lazy_init=lazy_init)
    paths = damage(dataset, 2, 4)
    assert not {dataset[index]['img_path'] for index in range(6)} & set(paths)
    assert len(dataset.unreadable) == 2


def test_an_unreadable_file_of_a_test_set_is_an_error(single):
    dataset = single(test_mode=True)
    damage(dataset, 2)
    with pytest.raises(XrayReadError, match='zero bytes'):
        dataset[2]


def test_another_image_of_a_subset_takes_the_place(single):
    dataset = single(max_unreadable=0.5)
    damage(dataset, 0)
    kept = [dataset.get_data_info(index)['img_path'] for index in (1, 2)]
    subset = dataset.get_subset([0, 1, 2])
    assert {subset[0]['img_path'] for _ in range(20)} == set(kept)


def test_a_union_counts_by_its_own_limit(single):
    union = MultiXrayDataset([single(max_unreadable=1)], max_unreadable=0)
    damage(union, 2)
    with pytest.raises(UserError, match='max_unreadable=0 allows 0'):
        union[2]

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The multi-task data set and its two batch samplers."""

from collections import Counter
from types import SimpleNamespace

import pytest
from mmengine.dataset import BaseDataset

from muscle_mm.datasets.multi_task_dataset import MultiTaskDataset
from muscle_mm.datasets.samplers import (
    CyclicTaskBatchSampler,
    SequentialTaskBatchSampler,
)
from muscle_mm.datasets.samplers.task_batches import own_share, repeat_to_multiple
from muscle_mm.registry import DATASETS
from muscle_mm.utils.errors import UserError

SIZES = {'pneumonia': 7, 'lung': 3, 'tbx': 5}


@DATASETS.register_module()
class NumberedDataset(BaseDataset):
    """As many numbered samples as asked for."""

    METAINFO = dict(classes=('a', 'b'))

    def __init__(self, size):
        self.size = size
        super().__init__(serialize_data=False)

    def load_data_list(self):
        return [dict(number=number) for number in range(self.size)]


@pytest.fixture
def dataset():
    return MultiTaskDataset(
        {name: dict(type='muscle_mm.NumberedDataset', size=size) for name, size in SIZES.items()}
    )


@pytest.fixture
def processes(monkeypatch):
    """Pretend to be one of several processes."""

    def processes(rank, world_size):
        for module in ('cyclic_task_batch_sampler', 'sequential_task_batch_sampler'):
            monkeypatch.setattr(
                f'muscle_mm.datasets.samplers.{module}.get_dist_info', lambda: (rank, world_size)
            )

    return processes


def sampler_over(dataset, cls=CyclicTaskBatchSampler, **options):
    return cls(SimpleNamespace(dataset=dataset), **{'batch_size': 2, **options})


def tasks_of(dataset, batches):
    return [sorted({dataset[index]['task'] for index in batch}) for batch in batches]


def test_samples_carry_their_task(dataset):
    assert len(dataset) == 15
    assert [dataset[i]['task'] for i in range(15)] == (
        ['pneumonia'] * 7 + ['lung'] * 3 + ['tbx'] * 5
    )
    assert [dataset[i]['number'] for i in (0, 6, 7, 9, 10, 14)] == [0, 6, 0, 2, 0, 4]
    assert dataset.metainfo['tasks']['lung'] == dict(classes=('a', 'b'), size=3)


def test_no_tasks_and_empty_tasks_are_refused():
    with pytest.raises(UserError, match='needs at least one task'):
        MultiTaskDataset({})
    with pytest.raises(UserError, match="data set of task 'lung' is empty"):
        MultiTaskDataset(dict(lung=dict(type='muscle_mm.NumberedDataset', size=0)))


def test_fixed_order_by_its_exact_output(dataset):
    sampler = sampler_over(dataset, rounds=2, reshuffle=False)
    tasks = [names[0] for names in tasks_of(dataset, sampler)]
    one_round = ['pneumonia'] * 4 + ['lung'] * 2 + ['tbx'] * 3
    assert tasks == one_round * 2
    assert len(sampler) == 18


@pytest.mark.parametrize('batch_size', [1, 2, 3, 10])
def test_every_batch_is_full_and_of_one_task(dataset, batch_size):
    batches = list(sampler_over(dataset, batch_size=batch_size, rounds=2))
    assert {len(batch) for batch in batches} == {batch_size}
    assert {len(tasks) for tasks in tasks_of(dataset, batches)} == {1}


def test_an_epoch_shows_every_sample(dataset):
    counts = Counter(index for batch in sampler_over(dataset, rounds=1) for index in batch)
    assert set(counts) == set(range(15))
    assert max(counts.values()) <= 2


def test_batches_go_on_where_the_tasks_last_visit_ended(dataset):
    """Short visits still come to every sample."""
    sampler = sampler_over(dataset, rounds=4, iters_per_visit=1)
    pneumonia = {index for batch in sampler for index in batch if index < 7}
    assert pneumonia == set(range(7))


def test_resume_is_a_slice_of_the_whole(dataset):
    whole = list(sampler_over(dataset, rounds=3, seed=5))
    for first in (0, 1, 4, 13, len(whole) - 1, len(whole)):
        sampler = sampler_over(dataset, rounds=3, seed=5)
        sampler.first_iteration = first
        assert list(sampler) == whole[first:]


def test_seeds_differ(dataset):
    assert list(sampler_over(dataset, seed=0)) != list(sampler_over(dataset, seed=1))


def test_ranks_train_the_same_task_on_different_samples(dataset, processes):
    of_rank = []
    for rank in range(2):
        processes(rank, 2)
        of_rank.append(list(sampler_over(dataset, rounds=2)))
    assert len(of_rank[0]) == len(of_rank[1])
    assert tasks_of(dataset, of_rank[0]) == tasks_of(dataset, of_rank[1])
    first_epoch = [batch for batches in of_rank for batch in batches[: len(batches) // 2]]
    assert {index for batch in first_epoch for index in batch} == set(range(15))


def test_batch_sizes_per_task(dataset):
    sizes = dict(pneumonia=4, lung=1, tbx=2)
    for batch in sampler_over(dataset, batch_size=sizes):
        assert len(batch) == sizes[dataset[batch[0]]['task']]


@pytest.mark.parametrize(
    ('options', 'lengths'),
    [
        (dict(), [4, 2, 3]),
        (dict(epochs_per_visit=3), [12, 6, 9]),
        (dict(epochs_per_visit=dict(pneumonia=1, lung=5, tbx=2)), [4, 10, 6]),
        (dict(iters_per_visit=7), [7, 7, 7]),
        (dict(iters_per_visit=dict(pneumonia=1, lung=5, tbx=2), epochs_per_visit=9), [1, 5, 2]),
        (dict(batch_size=dict(pneumonia=6, lung=10, tbx=5)), [2, 1, 1]),
    ],
)
def test_visits_last_for_epochs_or_iterations_of_each_task(dataset, options, lengths):
    visits = sampler_over(dataset, rounds=2, reshuffle=False, **options).visits
    assert [visit.length for visit in visits] == lengths * 2


def test_one_long_visit_trains_the_batches_of_several_rounds(dataset):
    """MUSCLE-- differs from MUSCLE in the order of its batches, not in the batches."""
    rounds = sampler_over(dataset, rounds=3)
    once = sampler_over(dataset, rounds=1, epochs_per_visit=3, reshuffle=False)
    assert sorted(rounds) == sorted(once)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(batch_size=dict(lung=1)), r"batch_size has the tasks \['lung'\], the data set \["),
        (dict(batch_size=0), "batch_size=0 for task 'pneumonia'"),
        (dict(epochs_per_visit=0), 'epochs_per_visit=0'),
        (dict(iters_per_visit=dict(pneumonia=1, lung=1, tbx=0)), 'iters_per_visit=0 for task'),
    ],
)
def test_wrong_options_are_named(dataset, options, message):
    with pytest.raises(UserError, match=message):
        sampler_over(dataset, **options)


@pytest.mark.parametrize('cls', [CyclicTaskBatchSampler, SequentialTaskBatchSampler])
def test_other_data_sets_are_refused(cls):
    with pytest.raises(UserError, match=f'{cls.__name__} needs .*MultiTaskDataset.* got list'):
        sampler_over([1, 2], cls)


def test_sequential_shows_everything_once_in_order(dataset):
    batches = list(sampler_over(dataset, SequentialTaskBatchSampler, batch_size=2))
    assert [index for batch in batches for index in batch] == list(range(15))
    assert {len(tasks) for tasks in tasks_of(dataset, batches)} == {1}


def test_sequential_deals_samples_out_to_ranks(dataset, processes):
    of_rank = []
    for rank in range(2):
        processes(rank, 2)
        sampler = sampler_over(dataset, SequentialTaskBatchSampler, batch_size=3)
        of_rank.append([index for batch in sampler for index in batch])
        assert len(sampler) == 4
    assert of_rank[0] == [0, 2, 4, 6, 7, 9, 10, 12, 14]
    assert of_rank[1] == [1, 3, 5, 0, 8, 7, 11, 13, 10]


def test_shares():
    assert repeat_to_multiple([1, 2, 3], 2) == [1, 2, 3, 1]
    assert repeat_to_multiple([1], 4) == [1, 1, 1, 1]
    assert [own_share(range(5), rank, 2) for rank in range(2)] == [[0, 2, 4], [1, 3, 0]]

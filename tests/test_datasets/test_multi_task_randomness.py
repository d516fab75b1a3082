# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What is random in a sample of step 2, and what happens to an unreadable file."""

import random

import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset
from torch.utils.data import DataLoader

from muscle_mm.datasets import MultiTaskDataset, XrayReadError
from muscle_mm.datasets.samplers import CyclicTaskBatchSampler, EpochSampler
from muscle_mm.registry import DATASETS
from muscle_mm.utils.errors import UserError

SIZES = {'pneumonia': 7, 'lung': 3}


@DATASETS.register_module()
class DrawingDataset(BaseDataset):
    """Samples that draw from all generators; some of them are unreadable."""

    def __init__(self, size, unreadable=(), test_mode=False):
        self.size, self.unreadable = size, unreadable
        super().__init__(serialize_data=False, test_mode=test_mode)

    def load_data_list(self):
        return [dict(number=number) for number in range(self.size)]

    def prepare_data(self, idx):
        if idx in self.unreadable:
            raise XrayReadError(f'{idx}.png', 'it is empty')
        draws = random.random(), float(np.random.rand()), float(torch.rand(()))
        return dict(number=idx, draws=draws)


def multi_task(max_unreadable=0.01, **options):
    datasets = {
        task: dict(type='muscle_mm.DrawingDataset', size=size, **options)
        for task, size in SIZES.items()
    }
    return MultiTaskDataset(datasets, max_unreadable)


def batches(num_workers=0, first_iteration=0, seed=0):
    """All samples of two rounds, as a run with this seed loads them."""
    dataset = multi_task()
    sampler = CyclicTaskBatchSampler(EpochSampler(dataset, seed=seed), batch_size=2, rounds=2)
    sampler.first_iteration = first_iteration
    loader = DataLoader(
        dataset, batch_sampler=sampler, num_workers=num_workers, collate_fn=lambda batch: batch
    )
    return list(loader)


def test_neither_workers_nor_an_interruption_change_a_sample():
    whole = batches()
    assert len(whole) == 12
    assert batches(num_workers=2) == whole
    assert batches(num_workers=1, first_iteration=5) == whole[5:]


def test_each_epoch_of_a_task_draws_anew():
    draws = {(s['task'], s['number'], s['draws']) for batch in batches() for s in batch}
    # Batches are filled up with the epoch's first samples, which are then the same again.
    assert len(draws) == 2 * sum(SIZES.values()) == len({draw[2] for draw in draws})


def test_the_seed_of_the_run_decides():
    first, second = (
        {sample['draws'] for batch in batches(seed=seed) for sample in batch} for seed in (0, 1)
    )
    assert not first & second


def test_plain_indices_draw_from_the_global_generators():
    dataset = multi_task()
    assert dataset[2]['draws'] != dataset[2]['draws']
    with pytest.raises(IndexError):
        dataset[10]


def test_another_film_of_the_task_takes_the_place_of_an_unreadable_one():
    dataset = multi_task(unreadable=(1,))
    dataset.seed_samples(0)
    taken = [dataset[8 + 10 * epoch] for epoch in range(20)]
    assert {(sample['task'], sample['number']) for sample in taken} == {('lung', 0), ('lung', 2)}
    assert {task: len(files) for task, files in dataset.unreadable.items()} == {
        'pneumonia': 0,
        'lung': 1,
    }


def test_too_many_unreadable_films_stop_the_training():
    dataset = multi_task(max_unreadable=0.3, unreadable=(0, 3, 5))
    with pytest.raises(UserError, match=r'(?s)pneumonia: 3 of 7 files.*0.3 allows 2.* 5\.png: it'):
        for index in range(7):
            dataset[index]


def test_no_film_of_a_test_is_replaced():
    dataset = multi_task(unreadable=(1,), test_mode=True)
    with pytest.raises(XrayReadError, match=r'1\.png: it is empty'):
        dataset[1]

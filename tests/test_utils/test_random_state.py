# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import random

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from muscle_mm.utils.random_state import seeded


def draws():
    return (
        random.random(),
        random.gauss(0, 1),
        float(np.random.rand()),
        float(np.random.normal()),
        float(torch.rand(())),
    )


def test_equal_numbers_give_equal_draws():
    with seeded(3, 10**12):
        first = draws()
    draws()
    with seeded(3, 10**12):
        assert draws() == first


@pytest.mark.parametrize('numbers', [(), (0,), (3, 5), (4, 4), (34,), (3, -4), (3, 4, 0)])
def test_other_numbers_change_every_generator(numbers):
    with seeded(3, 4):
        first = draws()
    with seeded(*numbers):
        assert all(one != other for one, other in zip(draws(), first, strict=True))


def test_generators_go_on_as_if_nothing_had_happened():
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    draws()  # an odd number of Gaussian draws: each generator keeps the second of its pair
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    expected = draws()
    random.setstate(states[0]), np.random.set_state(states[1]), torch.set_rng_state(states[2])
    with seeded(7):
        draws()
    with pytest.raises(KeyError), seeded(8):
        draws()
        raise KeyError
    assert draws() == expected


class Draws(torch.utils.data.Dataset):
    """Draws under a seed; what is drawn outside it is thrown away."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        with seeded(index):
            drawn = draws()
        draws()
        return drawn


def test_the_same_in_a_worker():
    alone, workers = (list(DataLoader(Draws(), num_workers=number)) for number in (0, 2))
    assert alone == workers and len(set(map(str, alone))) == 4

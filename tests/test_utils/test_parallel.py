# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import os

import pytest

from muscle_mm.utils.errors import UserError
from muscle_mm.utils.parallel import ordered_map, worker_count
from muscle_mm.utils.processors import available_processors


def square(number):
    return number * number


def square_or_die(number):
    if number in (3, 17):
        os._exit(1)
    return number * number


def square_or_fail(number):
    if number == 5:
        raise ValueError('five')
    return number * number


def lost(number):
    return f'{number} is lost'


@pytest.mark.parametrize('count', [0, 1, 4, 5, 30])
@pytest.mark.parametrize('workers', [1, 3])
def test_results_come_in_order(count, workers):
    found = list(ordered_map(square, range(count), workers, lost))
    assert found == [number * number for number in range(count)]


@pytest.mark.parametrize('workers', [1, 2])
def test_only_the_item_that_ends_its_process_is_lost(workers):
    found = list(ordered_map(square_or_die, range(25), workers, lost))
    expected = [number * number for number in range(25)]
    expected[3], expected[17] = '3 is lost', '17 is lost'
    assert found == expected


def test_exception_of_the_function_is_raised():
    with pytest.raises(ValueError, match='five'):
        list(ordered_map(square_or_fail, range(10), 2, lost))


def test_worker_count():
    assert worker_count(3) == 3
    assert worker_count(None) == available_processors()
    with pytest.raises(UserError, match='workers=0 must be at least 1'):
        worker_count(0)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys
from pathlib import Path

import pytest

from muscle_mm.utils.errors import UserError
from muscle_mm.utils.parallel import map_files, ordered_map, worker_count
from muscle_mm.utils.processors import available_processors

ROOT = Path(__file__).resolve().parents[2]
AFTER_TORCH = """
import torch
from muscle_mm.utils.parallel import map_files

def total(side):
    return int(torch.ones(side, side).t().contiguous().sum())

if __name__ == '__main__':
    torch.set_num_threads(2)
    print(total(1000), *map_files(total, [1000], 1, str))
"""


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


def process_of(number):
    return os.getpid()


def lost(number):
    return f'{number} is lost'


def test_files_are_not_blamed_where_no_process_can_start(monkeypatch):
    monkeypatch.setattr('muscle_mm.utils.parallel._begin', lambda: os._exit(1))
    with pytest.raises(UserError, match=r"below `if __name__ == '__main__':`"):
        list(map_files(square, range(3), 1, lost))


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


def test_files_are_worked_on_elsewhere_and_by_no_more_processes_than_needed():
    for count in (0, 1, 3):
        found = list(map_files(process_of, range(count), 8, lost))
        assert len(found) == count and os.getpid() not in found
        assert len(set(found)) == min(count, 1)


def test_one_file_alone_that_ends_its_process_is_lost():
    assert list(map_files(square_or_die, [3], 8, lost)) == ['3 is lost']


def test_torch_works_in_a_process_whose_parent_has_used_its_threads(tmp_path):
    (tmp_path / 'script.py').write_text(AFTER_TORCH)
    command = [sys.executable, str(tmp_path / 'script.py')]
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert run.stdout.split() == ['1000000', '1000000'], run.stderr


def test_worker_count():
    assert worker_count(3) == 3
    assert worker_count(None) == available_processors()
    with pytest.raises(UserError, match='workers=0 must be at least 1'):
        worker_count(0)

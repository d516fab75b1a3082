# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from muscle_mm.models import KeyQueue


@pytest.mark.parametrize(('queue_len', 'batch_size'), [(8, 4), (7, 3), (5, 5), (3, 8), (1, 1)])
def test_holds_the_newest_keys_in_a_ring(queue_len, batch_size):
    queue = KeyQueue(queue_len, 2)
    keys = torch.arange(24.0).view(12, 2)
    written = []
    for begin in range(0, 12, batch_size):
        batch = keys[begin : begin + batch_size]
        queue.enqueue(batch)
        written += [row.tolist() for row in batch]
        newest = written[-queue_len:]
        held = queue.keys.tolist()
        assert all(key in held for key in newest)
        assert int(queue.position) == len(written) % queue_len


def test_starts_with_unit_vectors():
    assert torch.allclose(KeyQueue(9, 4).keys.norm(dim=1), torch.ones(9))


def test_is_saved_and_restored():
    queue = KeyQueue(5, 2)
    queue.enqueue(torch.ones(3, 2))
    restored = KeyQueue(5, 2)
    restored.load_state_dict(queue.state_dict())
    assert torch.equal(restored.keys, queue.keys)
    assert int(restored.position) == 3


def test_keeps_the_set_of_each_key():
    queue = KeyQueue(4, 2)
    assert queue.datasets.tolist() == [-1] * 4
    queue.enqueue(torch.ones(3, 2), torch.tensor([7, 8, 9]))
    queue.enqueue(torch.ones(2, 2))
    assert queue.datasets.tolist() == [-1, 8, 9, -1]
    queue.enqueue(torch.ones(6, 2), torch.arange(6))
    assert queue.datasets.tolist() == [3, 4, 5, 2]


def test_refuses_an_empty_queue():
    with pytest.raises(ValueError, match='queue_len=0'):
        KeyQueue(0, 2)

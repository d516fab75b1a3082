# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest
from torch.utils.data import DataLoader, Dataset

from muscle_mm.utils.errors import DEBUG_VARIABLE, UserError


class Broken(Dataset):
    def __len__(self):
        return 1

    def __getitem__(self, index):
        raise UserError('the file x is gone.\n  Put it back.')


def test_a_message_from_a_worker_stands_alone():
    with pytest.raises(UserError) as raised:
        next(iter(DataLoader(Broken(), num_workers=1)))
    assert str(raised.value) == 'the file x is gone.\n  Put it back.'


def test_the_stack_of_a_worker_is_there_for_those_who_ask(monkeypatch):
    monkeypatch.setenv(DEBUG_VARIABLE, '1')
    with pytest.raises(UserError) as raised:
        next(iter(DataLoader(Broken(), num_workers=1)))
    assert 'Traceback' in str(raised.value) and 'Put it back.' in str(raised.value)

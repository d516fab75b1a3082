# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest
from torch._utils import ExceptionWrapper

from muscle_mm.utils.errors import DEBUG_VARIABLE, UserError

MESSAGE = 'the file x is gone.\n  Put it back.'


@pytest.fixture
def passed_on():
    """An error as torch's data loader passes it on from a worker."""
    try:
        raise UserError(MESSAGE)
    except UserError:
        wrapped = ExceptionWrapper(where='in DataLoader worker process 0')
    with pytest.raises(UserError) as raised:
        wrapped.reraise()
    return raised.value


def test_a_message_from_a_worker_stands_alone(passed_on):
    assert str(passed_on) == MESSAGE == str(UserError(MESSAGE))


def test_the_stack_of_a_worker_is_there_for_those_who_ask(passed_on, monkeypatch):
    monkeypatch.setenv(DEBUG_VARIABLE, '1')
    assert 'Traceback' in str(passed_on) and MESSAGE in str(passed_on)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pickle

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from muscle_mm.utils.errors import UserError
from muscle_mm.utils.safe_loading import load_checkpoint_file, state_dict_of


def test_mmengines_own_checkpoints_are_readable(tmp_path):
    history = HistoryBuffer([1.0, 2.0], [1, 1])
    history.update(3.0)
    path = tmp_path / 'epoch_1.pth'
    content = dict(
        state_dict=dict(weight=torch.ones(2)),
        message_hub=dict(
            log_scalars=dict(loss=history),
            runtime_info=dict(score=np.float64(1.5), numbers=np.arange(3), epoch=1),
        ),
    )
    torch.save(content, path)
    loaded = load_checkpoint_file(path)
    assert loaded['message_hub']['log_scalars']['loss'].mean() == 2.0
    assert loaded['message_hub']['runtime_info']['score'] == 1.5


@pytest.mark.parametrize('kept', [0, 10, 1500, -100, -1])
def test_a_file_whose_end_is_missing_is_not_called_harmful(tmp_path, kept):
    path = tmp_path / 'short.pth'
    torch.save(dict(weight=torch.ones(300)), path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError, match=r'short\.pth is cut off or damaged'):
        load_checkpoint_file(path)


class Lookup:
    """Refers to an attribute that a checkpoint has no business with."""

    def __reduce__(self):
        return getattr, (HistoryBuffer, '__init__')


def test_getattr_is_not_opened_for_more_than_the_log(tmp_path):
    path = tmp_path / 'harmful.pth'
    torch.save(dict(weight=Lookup()), path)
    with pytest.raises(UserError, match=r'harmful\.pth cannot be read safely'):
        load_checkpoint_file(path)


def test_plain_pickles_and_other_contents_are_refused(tmp_path):
    pickled = tmp_path / 'plain.pth'
    pickled.write_bytes(pickle.dumps(Lookup))
    with pytest.raises(UserError, match=r'plain\.pth cannot be read safely'):
        load_checkpoint_file(pickled)
    tensor = tmp_path / 'tensor.pth'
    torch.save(torch.ones(1), tensor)
    with pytest.raises(UserError, match=r'tensor\.pth holds a Tensor, not a dictionary'):
        load_checkpoint_file(tensor)
    with pytest.raises(UserError, match='does not exist'):
        load_checkpoint_file(tmp_path / 'missing.pth')


@pytest.mark.parametrize('key', ['state_dict', 'model', None])
def test_weights_are_unwrapped(key):
    weights = dict(weight=torch.ones(1))
    assert state_dict_of(weights if key is None else {key: weights, 'meta': {}}) is weights

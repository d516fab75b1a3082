# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import os

import pytest

from muscle_mm.pipeline.checkpoints import best_checkpoint, fill_in_checkpoints, last_checkpoint
from muscle_mm.utils.errors import UserError


@pytest.fixture
def work_dir(tmp_path):
    for name in ('epoch_1.pth', 'epoch_2.pth'):
        (tmp_path / name).touch()
    # mmengine writes the path as it was when it trained
    (tmp_path / 'last_checkpoint').write_text('/elsewhere/epoch_2.pth')
    return tmp_path


def test_last_is_what_the_runner_wrote_last_even_after_a_move(work_dir):
    assert last_checkpoint(work_dir) == work_dir / 'epoch_2.pth'


def test_best_is_the_newest_best_or_else_the_last(work_dir):
    assert best_checkpoint(work_dir) == work_dir / 'epoch_2.pth'
    for time, name in enumerate(['best_auc_epoch_9.pth', 'best_auc_epoch_10.pth']):
        (work_dir / name).touch()
        os.utime(work_dir / name, (time, time))
    assert best_checkpoint(work_dir).name == 'best_auc_epoch_10.pth'


def test_placeholders_are_filled_in(work_dir):
    argument = f'model.backbone.init_cfg.checkpoint={{last:{work_dir}}}'
    assert fill_in_checkpoints(argument).endswith('=' + str(work_dir / 'epoch_2.pth'))
    assert fill_in_checkpoints('no placeholder') == 'no placeholder'


def test_no_checkpoint_is_one_message(tmp_path):
    with pytest.raises(UserError, match='holds no checkpoint'):
        fill_in_checkpoints(f'{{best:{tmp_path}}}')

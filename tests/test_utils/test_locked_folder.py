# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest

from muscle_mm.utils.errors import UserError
from muscle_mm.utils.locked_folder import locked_folder

pytest.importorskip('fcntl')


def test_one_writer_at_a_time(tmp_path):
    with (
        locked_folder(tmp_path),
        pytest.raises(UserError, match='another process is writing to'),
        locked_folder(tmp_path),
    ):
        pytest.fail('two writers')
    with locked_folder(tmp_path):
        assert list(tmp_path.iterdir()) == []

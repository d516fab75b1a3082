# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import hashlib
import tracemalloc

import pytest

from muscle_mm.utils.file_digest import file_sha256


@pytest.mark.parametrize('size', [0, 1, 1 << 20, (1 << 20) + 1])
def test_hash_of_the_whole_file(tmp_path, size):
    content = bytes(range(256)) * (size // 256 + 1)
    (tmp_path / 'file').write_bytes(content[:size])
    assert file_sha256(tmp_path / 'file') == hashlib.sha256(content[:size]).hexdigest()


def test_a_large_file_is_never_in_memory_as_a_whole(tmp_path):
    with open(tmp_path / 'file', 'wb') as file:
        file.truncate(32 << 20)
    tracemalloc.start()
    file_sha256(str(tmp_path / 'file'))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 4 << 20

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace

import pytest

from muscle_mm import __version__
from muscle_mm.engine import ProvenanceHook


@pytest.mark.parametrize(
    ('filename', 'expected'), [('/some/where/md_moco.py', 'md_moco.py'), (None, '')]
)
def test_adds_to_what_mmengine_writes(monkeypatch, filename, expected):
    monkeypatch.setattr('muscle_mm.engine.provenance_hook.git_revision', lambda: 'abc')
    hook = ProvenanceHook()
    hook.before_train(SimpleNamespace(cfg=SimpleNamespace(filename=filename)))
    checkpoint = {'meta': {'epoch': 3}}
    hook.before_save_checkpoint(None, checkpoint)
    assert checkpoint['meta'] == {
        'epoch': 3,
        'config_file': expected,
        'muscle_mm_version': __version__,
        'muscle_mm_revision': 'abc',
    }

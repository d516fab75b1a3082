# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest

from muscle_mm.pipeline.settings import keep_settings
from muscle_mm.utils.errors import UserError


def test_a_folder_has_one_kind_of_results(tmp_path):
    out = tmp_path / 'new' / 'study'
    settings = {'budget': 'tiny', 'sizes': (96, 128), 'options': None}
    keep_settings(out, settings)
    keep_settings(out, settings)
    with pytest.raises(UserError, match=r"results of other settings: .*'tiny'.*'small'.*--out"):
        keep_settings(out, {**settings, 'budget': 'small'})
    keep_settings(out, settings)


def test_a_damaged_note_is_written_anew(tmp_path):
    (tmp_path / 'study.json').write_text('{"budget": "ti')
    keep_settings(tmp_path, {'budget': 'tiny'})
    with pytest.raises(UserError, match='other settings'):
        keep_settings(tmp_path, {'budget': 'small'})

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The look of all figures."""

import warnings

import pytest

from muscle_mm.reporting.style import figure, font_families

pytest.importorskip('matplotlib')


def test_installed_fonts_with_chinese_letters_follow_matplotlibs_own(monkeypatch):
    """One that is not installed would be a warning at every letter."""
    names = ['Noto Sans CJK SC', 'DejaVu Sans', 'Comic Neue']
    monkeypatch.setattr('matplotlib.font_manager.get_font_names', lambda: names)
    assert font_families() == ['DejaVu Sans', 'Noto Sans CJK SC']


def test_all_chosen_fonts_are_found(tmp_path, caplog):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        with figure(tmp_path / 'picture.png', 1, 1, (2, 2)) as axes:
            axes[0, 0].set_title('lung, 98%')
    assert 'not found' not in caplog.text
    assert (tmp_path / 'picture.png').stat().st_size > 1000

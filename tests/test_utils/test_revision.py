# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import shutil
import subprocess

import pytest

from muscle_mm.utils.revision import git_revision


def git(folder, *arguments):
    identity = ('-c', 'user.name=a', '-c', 'user.email=a@b')
    subprocess.run(['git', *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.skipif(shutil.which('git') is None, reason='git is not installed')
def test_a_clean_a_changed_and_a_foreign_folder(tmp_path):
    package = tmp_path / 'package'
    package.mkdir()
    (package / 'code.py').write_text('1')
    git(tmp_path, 'init')
    git(tmp_path, 'add', '.')
    git(tmp_path, 'commit', '-m', 'first')
    revision = git_revision(package)
    assert len(revision) == 40 and set(revision) <= set('0123456789abcdef')
    (package / 'code.py').write_text('2')
    assert git_revision(package) == f'{revision}-dirty'
    # Installed below a repository that does not keep it, as in a virtual environment.
    installed = tmp_path / 'site-packages'
    installed.mkdir()
    assert git_revision(installed) == 'unknown'


def test_without_git(tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))
    assert git_revision(tmp_path) == 'unknown'

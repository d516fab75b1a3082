# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import importlib.util
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / 'tools' / 'install.py'
STAGES = ['make_venv', 'install_torch', 'install_mmcv', 'install_stack', 'install_opencv', 'verify']


@pytest.fixture
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location('install', SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def fake_python(tmp_path: Path) -> Callable[[str, str], Path]:
    """Return a function that writes a Python which says that it is of some version."""

    def write(name: str, body: str) -> Path:
        folder = tmp_path / 'fake_bin'
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(f'#!/bin/sh\n{body}\n')
        path.chmod(0o755)
        return path

    return write


# Python


def test_unsupported_python_is_named_in_one_line(fake_python, tmp_path):
    old = fake_python('python3.8', 'echo 3 8')
    result = subprocess.run(
        [sys.executable, SCRIPT, '--python', old, '--venv', tmp_path / 'venv'],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith('[install] ERROR: Python 3.10, 3.11 or 3.12 is needed, ')
    assert f'{old} is Python 3.8' in line
    assert not (tmp_path / 'venv' / 'pyvenv.cfg').exists()


def test_another_python_on_path_is_found(install, fake_python, monkeypatch):
    monkeypatch.setattr(install.sys, 'executable', str(fake_python('python3', 'echo 3 13')))
    broken = fake_python('python3.12', 'exit 127')  # as pyenv shows a version that is not selected
    good = fake_python('python3.11', 'echo 3 11')
    monkeypatch.setenv('PATH', str(broken.parent))
    assert install.find_python(None) == (str(good), (3, 11))


def test_python_that_does_not_run(install):
    with pytest.raises(install.InstallError, match=r'python9\.9 does not run'):
        install.find_python('python9.9')


def test_existing_environment_of_another_python_is_kept(install, fake_python, tmp_path):
    environment = install.Environment(tmp_path)
    environment.python.parent.mkdir()
    shutil.copy(fake_python('python', 'echo 3 11'), environment.python)
    wanted = fake_python('python3.12', 'echo 3 12')
    with pytest.raises(install.InstallError, match=r'is Python 3\.11: remove it, or choose'):
        install.make_venv(environment, str(wanted))


def test_folder_that_is_no_environment_is_left_alone(install, tmp_path):
    (tmp_path / 'thesis.tex').write_text('precious')
    with pytest.raises(install.InstallError, match='is no virtual environment'):
        install.make_venv(install.Environment(tmp_path), None)


# Compiler, headers, disk


def test_missing_compiler(install, monkeypatch, tmp_path):
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.delenv('CXX', raising=False)
    with pytest.raises(install.InstallError, match=r'C\+\+ compiler is needed.*apt install g\+\+'):
        install.find_compiler()
    monkeypatch.setenv('CXX', 'ccache-gone g++')
    with pytest.raises(install.InstallError, match='ccache-gone is not on PATH'):
        install.find_compiler()


def test_missing_headers(install, tmp_path):
    with pytest.raises(
        install.InstallError, match=r'Python\.h is missing: install python3\.11-dev'
    ):
        install.check_headers(tmp_path, '3.11')
    (tmp_path / 'Python.h').touch()
    install.check_headers(tmp_path, '3.11')


def test_missing_space(install, monkeypatch, tmp_path):
    usage = SimpleNamespace(free=3.2e9)
    monkeypatch.setattr(install.shutil, 'disk_usage', lambda folder: usage)
    with pytest.raises(install.InstallError, match=r'10 GB of free disk space .* has 3\.2 GB'):
        install.check_space(tmp_path / 'not' / 'there' / 'yet', 10)
    install.check_space(tmp_path, 3)


# Commands


@pytest.mark.parametrize(
    ('lines', 'expected'),
    [
        ([], 'starting'),
        (['Installing collected packages: mpmath, sympy, torch'], 'installing 3 packages'),
        (['Collecting torch==2.11.0', '  Downloading torch.whl (506 MB)'], 'Downloading torch.whl'),
        (
            ['[1/100] c++ a.cpp', '  [20/100] c++ b.cpp', 'a warning'],
            'step 20/100, about 4 min 00 s',
        ),
    ],
)
def test_progress_is_read_from_the_output(install, lines, expected):
    assert expected in install.describe_progress(lines, 60.0)


@pytest.mark.parametrize(
    ('label', 'lines', 'expected'),
    [
        (
            'torch',
            ['ERROR: [Errno 28] No space left on device'],
            'the disk is full: free some space',
        ),
        ('venv', ['No module named ensurepip'], 'apt install python3-venv'),
        ('torch', ['NewConnectionError: x', 'ERROR: none'], 'the package index cannot be reached'),
        ('mmcv', ['nms.cpp:1:2: error: bad', 'ERROR: Failed'], 'mmcv failed: ERROR: Failed'),
        ('venv', ['strange'], 'venv failed: strange'),
        ('venv', [], 'venv failed: no output'),
    ],
)
def test_failure_is_one_line_with_its_reason(install, label, lines, expected):
    message = install.explain_failure(label, lines, Path('all.log'))
    assert expected in message
    assert '\n' not in message


def test_run_shows_progress_and_keeps_the_output(install, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(install, 'HEARTBEAT_SECONDS', 0.1)
    log = tmp_path / 'logs' / 'step.log'
    install.run('step', ['sh', '-c', 'echo "Collecting $NAME"; sleep 0.3'], log, NAME='numpy')
    assert 'step: 0 s, Collecting numpy' in capsys.readouterr().out
    assert log.read_text() == 'Collecting numpy\n'


def test_interrupt_ends_what_the_command_started(install, monkeypatch, tmp_path):
    monkeypatch.setattr(install, 'HEARTBEAT_SECONDS', 0.1)

    def interrupt(message: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(install, 'say', interrupt)
    late = tmp_path / 'late'
    with pytest.raises(KeyboardInterrupt):
        install.run('step', ['sh', '-c', f'(sleep 0.4; touch {late}) & wait'], tmp_path / 'log')
    time.sleep(0.5)
    assert not late.exists()


# The wheel of mmcv


def test_wheel_key_tells_builds_apart(install):
    key = install.wheel_key('2.11.0', 'cp311', 'linux-x86_64')
    assert key == 'torch2.11.0-cp311-linux_x86_64'
    others = {
        install.wheel_key('2.11.0+cpu', 'cp311', 'linux-x86_64'),
        install.wheel_key('2.11.0', 'cp312', 'linux-x86_64'),
        install.wheel_key('2.11.0', 'cp311', 'macosx-14.0-arm64'),
        install.wheel_key('2.11.0', 'cp311', 'linux-x86_64', cuda=True),
    }
    assert len(others | {key}) == 5


def test_wheel_cache_follows_the_environment(install, monkeypatch, tmp_path):
    monkeypatch.delenv('MUSCLE_MM_WHEELS', raising=False)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    assert install.wheel_cache() == tmp_path / 'muscle_mm' / 'wheels'
    monkeypatch.setenv('MUSCLE_MM_WHEELS', str(tmp_path / 'kept'))
    assert install.wheel_cache() == tmp_path / 'kept'


def test_wheels_of_both_lines_lie_side_by_side(install, tmp_path):
    ours = tmp_path / 'onedl_mmcv-2.3.6-cp311-cp311-linux_x86_64.whl'
    ours.touch()
    assert install.find_wheel(tmp_path, 'onedl-mmcv', '2.3.6') == ours
    assert install.find_wheel(tmp_path, 'mmcv', '2.3.6') is None
    assert install.find_wheel(tmp_path, 'onedl-mmcv', '2.3') is None


# Pins


@pytest.mark.parametrize('line', ['onedl', 'openmmlab'])
def test_stack_pins_what_the_stages_ask_for(install, line):
    stack = ROOT / 'requirements' / f'stack-{line}.txt'
    assert install.pinned_version(stack, install.MMCV_PACKAGES[line])
    assert install.pinned_version(stack, 'opencv-python-headless')
    assert install.pinned_version(stack, 'numpy')


def test_missing_pin_names_file_and_package(install, tmp_path):
    stack = tmp_path / 'stack.txt'
    stack.write_text('mmcv-lite==2.0.1\n')
    with pytest.raises(install.InstallError, match=r'stack\.txt pins no mmcv'):
        install.pinned_version(stack, 'mmcv')


# Stages and stamps


def test_stamp_counts_only_for_the_same_input_and_a_living_environment(install, tmp_path):
    environment = install.Environment(tmp_path)
    environment.mark_done('torch', 'abc')
    assert not environment.is_done('torch', 'abc')
    environment.python.parent.mkdir()
    environment.python.touch()
    assert environment.is_done('torch', 'abc')
    assert not environment.is_done('torch', 'abd')
    assert not environment.is_done('mmcv', 'abc')


def test_digest_follows_the_content_of_files(install, tmp_path):
    pins = tmp_path / 'pins.txt'
    pins.write_text('a==1\n')
    before = install.digest_of('x', pins)
    assert install.digest_of('x', pins) == before
    pins.write_text('a==2\n')
    assert install.digest_of('x', pins) != before
    assert install.digest_of('ab', 'c') != install.digest_of('a', 'bc')


@pytest.fixture
def done(install, monkeypatch, tmp_path) -> list[str]:
    """Replace every stage by a note of its name."""
    names: list[str] = []
    python = install.Environment(tmp_path / 'venv').python

    def note(name: str) -> Callable[..., None]:
        def stage(*arguments: object) -> None:
            names.append(name)
            python.parent.mkdir(parents=True, exist_ok=True)
            python.touch()

        return stage

    for name in [*STAGES, 'install_test']:
        monkeypatch.setattr(install, name, note(name))
    monkeypatch.setattr(install, 'check_space', lambda folder, wanted: None)
    return names


def test_nothing_is_done_twice(install, done, capsys, tmp_path):
    install.install('onedl', tmp_path / 'venv', [], None)
    assert done == STAGES
    install.install('onedl', tmp_path / 'venv', [], None)
    assert done == STAGES
    assert 'is up to date (onedl line)' in capsys.readouterr().out
    install.install('onedl', tmp_path / 'venv', ['test'], None)
    assert done == [*STAGES, 'install_test']


def test_interrupted_installation_goes_on_where_it_was(install, done, monkeypatch, tmp_path):
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(install, 'install_mmcv', interrupt)
        with pytest.raises(KeyboardInterrupt):
            install.install('onedl', tmp_path / 'venv', [], None)
    assert done == STAGES[:2]
    install.install('onedl', tmp_path / 'venv', [], None)
    assert done == STAGES


def test_changed_pins_are_installed(install, done, monkeypatch, tmp_path):
    shutil.copytree(install.REQUIREMENTS, tmp_path / 'requirements')
    monkeypatch.setattr(install, 'REQUIREMENTS', tmp_path / 'requirements')
    install.install('onedl', tmp_path / 'venv', ['test'], None)
    done.clear()
    with (tmp_path / 'requirements' / 'test.txt').open('a') as stream:
        stream.write('pytest-xdist\n')
    install.install('onedl', tmp_path / 'venv', ['test'], None)
    assert done == ['install_test']
    done.clear()
    with (tmp_path / 'requirements' / 'torch.txt').open('a') as stream:
        stream.write('torchaudio\n')
    install.install('onedl', tmp_path / 'venv', [], None)
    assert done == STAGES[1:]


@pytest.mark.parametrize(
    ('error', 'code', 'expected'),
    [
        (OSError(28, 'No space left on device'), 1, 'ERROR: [Errno 28] No space left on device'),
        (KeyboardInterrupt(), 130, 'interrupted: run the same command to go on'),
    ],
)
def test_no_traceback_reaches_the_user(install, monkeypatch, capsys, error, code, expected):
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(install, 'install', fail)
    monkeypatch.setattr(install.signal, 'signal', lambda *arguments: None)
    monkeypatch.setattr(sys, 'argv', ['install.py'])
    assert install.main() == code
    assert expected in capsys.readouterr().err

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Install muscle_mm and one line of the OpenMMLab stack into a virtual environment.

``python3 tools/install.py`` works in stages. Each leaves a stamp of what it was made from, so that
a second run does nothing, and an interrupted one goes on where it was. mmcv, which has no wheel on
PyPI, is compiled once per (torch, Python, platform) and kept outside the environment.

Only the standard library is used. Annotations are strings and nothing newer than Python 3.6 runs
before :func:`find_python`, so that an old Python gets a message and not a syntax error.
"""

import argparse
import contextlib
import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / 'requirements'
SUPPORTED_PYTHONS = ((3, 10), (3, 11), (3, 12))
#: The distribution that carries mmcv on each line of the stack.
MMCV_PACKAGES = {'onedl': 'onedl-mmcv', 'openmmlab': 'mmcv'}
DEFAULT_VENVS = {'onedl': '.venv', 'openmmlab': '.venv-openmmlab'}
#: Free space wanted for torch and its CUDA libraries (the environment takes 7 GB), in GB.
SPACE_FOR_ALL = 10
#: Free space wanted when torch is there already, in GB.
SPACE_FOR_REST = 2
#: Memory that compiling one file of mmcv may take, in bytes.
MEMORY_PER_JOB = 2 * 1024**3
HEARTBEAT_SECONDS = 30


class InstallError(Exception):
    """What stops the installation: one line that names what is missing and what to do."""


class Interpreter(NamedTuple):
    """A Python of a supported version.

    Attributes:
        path (str): The executable.
        version (tuple[int, int]): Major and minor version.
    """

    path: 'str'
    version: 'tuple[int, int]'


def say(message: 'str') -> 'None':
    """Print one line at once, also into a pipe."""
    print(f'[install] {message}', flush=True)


def format_seconds(seconds: 'float') -> 'str':
    """Write a duration for people: ``'42 s'`` or ``'3 min 05 s'``."""
    minutes, rest = divmod(int(seconds), 60)
    return f'{minutes} min {rest:02d} s' if minutes else f'{rest} s'


# Checks of the machine


def python_version(executable: 'str') -> 'tuple[int, int] | None':
    """Ask a Python for its version.

    Args:
        executable (str): Name or path of the interpreter.

    Returns:
        tuple[int, int] | None: Major and minor version; None where it does not run (a name that
        pyenv shows without having the version selected, for example).
    """
    code = 'import sys; print("%d %d" % sys.version_info[:2])'
    try:
        output = subprocess.check_output([executable, '-c', code], stderr=subprocess.DEVNULL)
        major, minor = output.split()
        return int(major), int(minor)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None


def find_python(requested: 'str | None') -> 'Interpreter':
    """Choose the Python that the environment is made with.

    Args:
        requested (str | None): The one the user named; None takes the running one where it is
            supported, else the newest supported one on PATH.

    Returns:
        Interpreter: The one chosen.

    Raises:
        InstallError: If none is supported.
    """
    on_path = [f'python{major}.{minor}' for major, minor in reversed(SUPPORTED_PYTHONS)]
    for candidate in [requested] if requested else [sys.executable, *on_path]:
        version = python_version(candidate)
        if version in SUPPORTED_PYTHONS:
            return Interpreter(shutil.which(candidate) or candidate, version)
    found = requested or 'python3'
    version = python_version(found) if requested else sys.version_info[:2]
    what = 'does not run' if version is None else 'is Python {}.{}'.format(*version)
    raise InstallError(
        f'Python 3.10, 3.11 or 3.12 is needed, {found} {what}: install one of them and name it, '
        'for example `PYTHON=python3.11 make demo` or `tools/install.py --python python3.11`.'
    )


def check_space(folder: 'Path', wanted: 'int') -> 'None':
    """Raise InstallError if the disk of a folder has less than ``wanted`` GB free."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    if free < wanted:
        raise InstallError(
            f'{wanted} GB of free disk space are needed, {folder} has {free:.1f} GB: free some, or '
            'put the environment on another disk with `--venv DIR` (`make VENV=DIR ...`).'
        )


def find_compiler() -> 'str':
    """Return the C++ compiler, ``$CXX`` or what is on PATH; raise InstallError if there is none."""
    candidates = [shlex.split(os.environ['CXX'])[0]] if os.environ.get('CXX') else []
    for candidate in candidates or ['c++', 'g++', 'clang++']:
        compiler = shutil.which(candidate)
        if compiler:
            return compiler
    raise InstallError(
        f'a C++ compiler is needed to compile mmcv, {" or ".join(candidates) or "g++"} is not on '
        'PATH: install one (Debian, Ubuntu: `apt install g++`; Fedora: `dnf install gcc-c++`).'
    )


def check_headers(include: 'Path', version: 'str') -> 'None':
    """Raise InstallError if a Python's include folder lacks its C headers."""
    if not (include / 'Python.h').is_file():
        raise InstallError(
            f'the C headers of Python are needed to compile mmcv, {include}/Python.h is missing: '
            f'install python{version}-dev (Debian, Ubuntu) or python3-devel (Fedora).'
        )


# Running pip


def describe_progress(lines: 'list[str]', seconds: 'float') -> 'str':
    """Say how far a command is, from what it printed last.

    Args:
        lines (list[str]): Its output so far.
        seconds (float): How long it has been running.

    Returns:
        str: For a compilation the step, the number of steps and the time left, else what pip does.
    """
    for line in reversed(lines):
        step = re.match(r'\s*\[(\d+)/(\d+)\]', line)
        if step:
            done, total = int(step.group(1)), int(step.group(2))
            left = seconds / done * (total - done)
            return f'step {done}/{total}, about {format_seconds(left)} left'
        if line.startswith('Installing collected packages:'):
            return f'installing {line.count(",") + 1} packages'
        doing = re.match(r'\s*((Collecting|Downloading|Building|Preparing) .{1,60})', line)
        if doing:
            return doing.group(1).strip()
    return 'starting'


def explain_failure(label: 'str', lines: 'list[str]', log: 'Path') -> 'str':
    """Find the one line of a failed command's output that says why.

    Args:
        label (str): What was being done.
        lines (list[str]): The command's output.
        log (Path): Where all of it is.

    Returns:
        str: The message for the user.
    """
    text = '\n'.join(lines)
    if 'No space left on device' in text or '[Errno 28]' in text:
        return f'{label}: the disk is full: free some space and run the same command again ({log}).'
    if 'ensurepip' in text and label == 'venv':
        return (
            'venv: this Python lacks the module ensurepip: install it (Debian, Ubuntu: `apt '
            'install python3-venv`).'
        )
    if 'ConnectionError' in text or 'NewConnectionError' in text or 'ConnectTimeoutError' in text:
        return (
            f'{label}: the package index cannot be reached: check the network or pip.conf ({log}).'
        )
    errors = [line.strip() for line in lines if re.match(r'\s*(ERROR|error|fatal error)\b', line)]
    errors += [line.strip() for line in lines if ' error: ' in line]
    reason = errors[0] if errors else (lines[-1].strip() if lines else 'no output')
    return f'{label} failed: {reason} (all of the output: {log})'


def run(label: 'str', command: 'list[str]', log: 'Path', **environment: 'str') -> 'None':
    """Run a command into a log file, and say every half minute how far it is.

    Args:
        label (str): What is being done, for the lines printed.
        command (list[str]): The command.
        log (Path): Gets its output.
        **environment (str): Environment variables to set for it.

    Raises:
        InstallError: If it fails, with the reason in one line.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    lines = []  # type: list[str]
    start = time.monotonic()
    with log.open('w', encoding='utf-8', errors='replace') as stream:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            errors='replace',
            cwd=str(ROOT),
            env={**os.environ, 'PIP_PROGRESS_BAR': 'off', **environment},
            start_new_session=True,  # one group, so that an interrupt ends the compilers as well
        )

        def read() -> 'None':
            for line in process.stdout or ():
                lines.append(line)
                with contextlib.suppress(OSError):  # the disk may be full: the reason is in `lines`
                    stream.write(line)
                    stream.flush()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=HEARTBEAT_SECONDS)
                    break
                seconds = time.monotonic() - start
                say(f'{label}: {format_seconds(seconds)}, {describe_progress(lines, seconds)}')
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
                process.wait()
            reader.join(timeout=5)
    if process.returncode:
        raise InstallError(explain_failure(label, lines, log))


# The environment


class Environment:
    """A virtual environment that is filled stage by stage.

    Args:
        folder (Path): Where it is or will be.
    """

    def __init__(self, folder: 'Path') -> 'None':
        self.folder = folder
        self.stamps = folder / '.muscle_mm'
        scripts = 'Scripts' if os.name == 'nt' else 'bin'
        self.python = folder / scripts / ('python.exe' if os.name == 'nt' else 'python')

    def is_done(self, stage: 'str', digest: 'str') -> 'bool':
        """Say whether a stage was finished with the same input."""
        stamp = self.stamps / f'{stage}.stamp'
        return self.python.exists() and stamp.is_file() and stamp.read_text() == digest

    def mark_done(self, stage: 'str', digest: 'str') -> 'None':
        """Note that a stage is finished; whole or not at all, whatever happens meanwhile."""
        self.stamps.mkdir(parents=True, exist_ok=True)
        half = self.stamps / f'{stage}.stamp.part'
        half.write_text(digest)
        os.replace(str(half), str(self.stamps / f'{stage}.stamp'))

    def log(self, name: 'str') -> 'Path':
        """Return the file that gets the output of a command."""
        return self.stamps / f'{name}.log'

    def query(self, code: 'str') -> 'list[str]':
        """Run a short program in the environment and return the words it prints."""
        return subprocess.check_output([str(self.python), '-c', code]).decode().split()

    def has_pip(self) -> 'bool':
        """Say whether the environment is made, and not only begun."""
        try:
            self.query('import pip')
        except subprocess.CalledProcessError:
            return False
        return True

    def pip(self, label: 'str', *arguments: 'str', **variables: 'str') -> 'None':
        """Run pip in the environment; see :func:`run`."""
        command = [str(self.python), '-m', 'pip', '--disable-pip-version-check', '--no-input']
        run(label, [*command, *arguments], self.log(label), **variables)


def digest_of(*parts: 'str | Path') -> 'str':
    """Hash strings and the contents of files into one digest.

    Args:
        *parts (str | Path): Strings count as they are, paths by their content.

    Returns:
        str: 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part.encode()
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def pinned_version(requirements: 'Path', package: 'str') -> 'str':
    """Return the version that a requirements file pins a package to."""
    for line in requirements.read_text(encoding='utf-8').splitlines():
        name, _, version = line.partition('==')
        if name.strip() == package:
            return version.strip()
    raise InstallError(f'{requirements} pins no {package}: add the line `{package}==VERSION`.')


# The wheel of mmcv


def wheel_key(torch: 'str', python_tag: 'str', platform: 'str', cuda: 'bool' = False) -> 'str':
    """Name the folder of the wheels that fit one torch on one Python on one platform.

    Args:
        torch (str): Version of torch with its local tag: ``'2.11.0'``, ``'2.11.0+cpu'``.
        python_tag (str): For example ``'cp311'``.
        platform (str): For example ``'linux-x86_64'``.
        cuda (bool): Whether the operators are compiled for GPUs too. Defaults to False.

    Returns:
        str: For example ``'torch2.11.0-cp311-linux_x86_64'``.
    """
    platform = re.sub(r'[-.]', '_', platform)
    return f'torch{torch}-{python_tag}-{platform}' + ('-cuda' if cuda else '')


def wheel_cache() -> 'Path':
    """Return the folder that keeps compiled wheels: ``$MUSCLE_MM_WHEELS`` or the user's cache."""
    if os.environ.get('MUSCLE_MM_WHEELS'):
        return Path(os.environ['MUSCLE_MM_WHEELS']).expanduser().resolve()
    cache = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
    return Path(cache).expanduser() / 'muscle_mm' / 'wheels'


def find_wheel(folder: 'Path', package: 'str', version: 'str') -> 'Path | None':
    """Return the wheel of a package in a folder, None if it is not there."""
    pattern = f'{package.replace("-", "_")}-{version}-*.whl'
    return next(iter(sorted(folder.glob(pattern))), None)


def compiles_for_gpu(environment: 'Environment') -> 'bool':
    """Say whether mmcv is to be compiled for GPUs: nvcc is there, and a GPU or ``FORCE_CUDA=1``."""
    home = os.environ.get('CUDA_HOME')
    has_nvcc = bool(shutil.which('nvcc') or (home and (Path(home) / 'bin' / 'nvcc').is_file()))
    if not has_nvcc and not Path('/usr/local/cuda/bin/nvcc').is_file():
        return False
    if os.environ.get('FORCE_CUDA') == '1':
        return True
    return environment.query('import torch; print(torch.cuda.is_available())') == ['True']


@contextlib.contextmanager
def only_one_at_a_time(lock: 'Path'):  # type: ignore[no-untyped-def]
    """Hold a lock file, so that two installations do not compile into the same folder."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open('w') as stream:
        try:
            import fcntl
        except ImportError:  # Windows: two at a time only waste time there
            yield
            return
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say('mmcv: another installation is compiling it, waiting for that one')
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def compile_mmcv(
    environment: 'Environment', folder: 'Path', package: 'str', version: 'str'
) -> 'Path':
    """Compile mmcv's operators and keep the wheel.

    The sources lie beside the wheels until it is finished: an interrupted compilation goes on with
    the files that were not compiled yet.

    Args:
        environment (Environment): Holds torch, setuptools and ninja.
        folder (Path): Where the wheel is kept.
        package (str): ``'mmcv'`` or ``'onedl-mmcv'``.
        version (str): Its version.

    Returns:
        Path: The wheel.
    """
    compiler = find_compiler()
    include, python = environment.query(
        'import sysconfig as s; print(s.get_paths()["include"], s.get_python_version())'
    )
    check_headers(Path(include), python)
    build = folder / f'build-{package}-{version}'
    source = build / 'source'
    jobs = count_jobs()
    say(
        f'mmcv: compiling {package} {version} with {compiler}, {jobs} at a time, once per torch '
        'and Python; on 2 cores it takes 10 to 20 minutes.'
    )
    if not source.is_dir():
        shutil.rmtree(str(build), ignore_errors=True)
        download = ['download', '--no-deps', '--no-binary', ':all:', '--no-build-isolation']
        environment.pip('mmcv-source', *download, '-d', str(build), f'{package}=={version}')
        with tarfile.open(str(next(build.glob('*.tar.gz')))) as archive:
            archive.extractall(str(build / 'unpacked'))
        os.replace(str(next((build / 'unpacked').iterdir())), str(source))
    variables = {'MMCV_WITH_OPS': '1', 'MAX_JOBS': str(jobs)}
    if not folder.name.endswith('-cuda'):
        # Without nvcc mmcv's setup.py must not see a GPU: it would try to compile for it and fail.
        variables.update(CUDA_VISIBLE_DEVICES='', FORCE_CUDA='0')
    wheel_arguments = ['wheel', '-v', '--no-build-isolation', '--no-deps', '--no-cache-dir']
    environment.pip('mmcv', *wheel_arguments, '-w', str(build), str(source), **variables)
    wheel = find_wheel(build, package, version)
    if wheel is None:
        raise InstallError(f'mmcv: pip left no wheel of {package} {version} in {build}.')
    kept = folder / wheel.name
    os.replace(str(wheel), str(kept))
    shutil.rmtree(str(build), ignore_errors=True)
    return kept


def count_jobs() -> 'int':
    """Return how many files to compile at once: one a core, as far as the memory goes."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    )
    try:
        memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    except (AttributeError, ValueError, OSError):
        return cores
    return max(1, min(cores, memory // MEMORY_PER_JOB))


# The stages


def check_python(environment: 'Environment', requested: 'str | None') -> 'None':
    """Raise InstallError if an existing environment has another Python than it should."""
    version = python_version(str(environment.python))
    wanted = python_version(requested) if requested else version
    if version not in SUPPORTED_PYTHONS or version != wanted:
        is_now = 'does not run' if version is None else 'is Python {}.{}'.format(*version)
        raise InstallError(
            f'the environment {environment.folder} {is_now}: remove it, or choose another folder '
            'with `--venv DIR` (`make VENV=DIR ...`).'
        )


def make_venv(environment: 'Environment', requested: 'str | None') -> 'None':
    """Create the environment, or adopt the one that is there."""
    folder = environment.folder
    if environment.python.exists():
        check_python(environment, requested)
        if environment.has_pip():  # an interrupted `python -m venv` leaves a Python without it
            return
        requested = str(environment.python.resolve())
    strangers = [path for path in folder.glob('*') if path != environment.stamps]
    if strangers and not (folder / 'pyvenv.cfg').exists():
        raise InstallError(f'{folder} is no virtual environment: choose another with `--venv DIR`.')
    python = find_python(requested)
    run('venv', [python.path, '-m', 'venv', str(folder)], environment.log('venv'))


def install_torch(environment: 'Environment', stack: 'Path') -> 'None':
    """Install torch, torchvision and what compiling mmcv needs."""
    files = ['-r', 'requirements/torch.txt', '-r', 'requirements/build.txt', '-c', str(stack)]
    environment.pip('torch', 'install', *files, 'numpy')


def install_mmcv(environment: 'Environment', stack: 'Path', line: 'str') -> 'None':
    """Install mmcv from the wheel that fits, which is compiled if it is not there."""
    package = MMCV_PACKAGES[line]
    version = pinned_version(stack, package)
    torch, python_tag, platform = environment.query(
        'import sys, sysconfig, importlib.metadata as m\n'
        'print(m.version("torch"), "cp%d%d" % sys.version_info[:2], sysconfig.get_platform())'
    )
    key = wheel_key(torch, python_tag, platform, compiles_for_gpu(environment))
    folder = wheel_cache() / key
    wheel = find_wheel(folder, package, version)
    if wheel is None:
        with only_one_at_a_time(folder / f'{package}.lock'):
            wheel = find_wheel(folder, package, version)
            wheel = wheel or compile_mmcv(environment, folder, package, version)
    say(f'mmcv: using {wheel}')
    # By force: pip takes a wheel of the same version for the same wheel, whatever its torch.
    environment.pip('mmcv-wheel', 'install', '--force-reinstall', '--no-deps', str(wheel))


def install_stack(environment: 'Environment', stack: 'Path') -> 'None':
    """Install the toolboxes, what the package needs, and the package itself, editable."""
    limits = ['-c', 'requirements/torch.txt', '-c', 'requirements/build.txt']
    # Without build isolation: what is built is built with the setuptools of requirements/build.txt.
    environment.pip(
        'stack', 'install', '--no-build-isolation', *limits, '-r', str(stack), '-e', '.'
    )


def install_opencv(environment: 'Environment', stack: 'Path') -> 'None':
    """Write the headless OpenCV over the other flavour, which needs libGL and shares its folder."""
    opencv = 'opencv-python-headless'
    wanted = f'{opencv}=={pinned_version(stack, opencv)}'
    environment.pip('opencv', 'install', '--force-reinstall', '--no-deps', wanted)


def install_test(environment: 'Environment', stack: 'Path') -> 'None':
    """Install the checkers and pytest without moving any pin of the stack."""
    limits = ['-c', 'requirements/torch.txt', '-c', str(stack)]
    environment.pip('test', 'install', *limits, '-r', 'requirements/test.txt')


VERIFICATION = """
import importlib
import torch
from mmcv.ops import nms
boxes = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 4.1], [8, 8, 9, 9]])
kept = nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5)[1].tolist()
assert kept == [0, 2], f'mmcv.ops.nms is wrong: it keeps {kept}'
import mmpretrain, mmdet, mmseg, muscle_mm
for toolbox in ('mmpretrain', 'mmdet', 'mmseg'):
    importlib.import_module(toolbox + '.utils').register_all_modules(False)
"""


def verify(environment: 'Environment') -> 'None':
    """Import the toolboxes and run one compiled operator."""
    command = [str(environment.python), '-W', 'ignore', '-c', VERIFICATION]
    try:
        run('verify', command, environment.log('verify'))
    except InstallError as error:
        # The wheel is the likely culprit: let the next run put it in again.
        with contextlib.suppress(OSError):
            (environment.stamps / 'mmcv.stamp').unlink()
        raise InstallError(
            f'the installed stack does not work: {error}. If it names mmcv, remove its wheel from '
            f'{wheel_cache()} and run the same command again.'
        ) from None


def install(line: 'str', folder: 'Path', extras: 'list[str]', requested: 'str | None') -> 'None':
    """Install everything that is not installed yet.

    Args:
        line (str): ``'onedl'`` or ``'openmmlab'``.
        folder (Path): The virtual environment.
        extras (list[str]): ``['test']`` for what the tests need, or nothing.
        requested (str | None): The Python to make the environment with, None chooses.

    Raises:
        InstallError: If something is missing on the machine.
    """
    environment = Environment(folder)
    if requested and environment.python.exists():
        check_python(environment, requested)
    stack = REQUIREMENTS / f'stack-{line}.txt'
    package = [ROOT / 'setup.cfg', ROOT / 'setup.py', ROOT / 'muscle_mm' / 'version.py']
    # Each stage depends on its files and on the stages before it; `test` on nothing after `stack`.
    base = digest_of('venv', line, str(ROOT))
    torch = digest_of(base, REQUIREMENTS / 'torch.txt', REQUIREMENTS / 'build.txt', stack)
    whole = digest_of(torch, *package)
    stages = [
        ('venv', base, lambda: make_venv(environment, requested)),
        ('torch', torch, lambda: install_torch(environment, stack)),
        ('mmcv', torch, lambda: install_mmcv(environment, stack, line)),
        ('stack', whole, lambda: install_stack(environment, stack)),
        ('opencv', whole, lambda: install_opencv(environment, stack)),
        ('verify', whole, lambda: verify(environment)),
    ]
    if 'test' in extras:
        digest = digest_of(whole, REQUIREMENTS / 'test.txt')
        stages.append(('test', digest, lambda: install_test(environment, stack)))
    pending = [stage for stage in stages if not environment.is_done(stage[0], stage[1])]
    if not pending:
        say(f'{folder} is up to date ({line} line)')
        return
    space = SPACE_FOR_ALL if 'torch' in [name for name, _, _ in pending] else SPACE_FOR_REST
    check_space(folder, space)
    start = time.monotonic()
    for name, digest, action in pending:
        stage_start = time.monotonic()
        say(f'{name} ...')
        action()
        environment.mark_done(name, digest)
        say(f'{name}: done in {format_seconds(time.monotonic() - stage_start)}')
    say(f'{folder} is ready ({line} line) after {format_seconds(time.monotonic() - start)}')


def parse_arguments(arguments: 'list[str] | None' = None) -> 'argparse.Namespace':
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Install muscle_mm and its stack, once.')
    parser.add_argument('--stack', choices=sorted(MMCV_PACKAGES), default='onedl')
    parser.add_argument(
        '--venv',
        type=Path,
        help='environment (default: .venv, on the openmmlab line .venv-openmmlab)',
    )
    parser.add_argument('--extras', choices=['test'], action='append', default=[])
    parser.add_argument('--python', help='the Python to make the environment with')
    return parser.parse_args(arguments)


def main() -> 'int':
    """Install, and turn everything that can go wrong into one line."""
    options = parse_arguments()
    folder = Path(os.path.abspath(str(options.venv or ROOT / DEFAULT_VENVS[options.stack])))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        install(options.stack, folder, options.extras, options.python)
    except InstallError as error:
        print(f'[install] ERROR: {error}', file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f'[install] ERROR: {error}: correct that and run the same command again.',
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print('\n[install] interrupted: run the same command to go on from here.', file=sys.stderr)
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())

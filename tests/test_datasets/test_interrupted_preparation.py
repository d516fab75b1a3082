# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A preparation that was ended goes on where it was, and reads nothing twice."""

import os
import signal
import subprocess
import sys
import time

import pytest

from muscle_mm.datasets.preparation import inspection, prepare

JOURNAL = 'inspected.jsonl'
KILLED = """
import multiprocessing, os, signal, sys
from muscle_mm.datasets.preparation import journal, prepare

keep, kept = journal.Journal.keep, []

def keep_some(self, question, found):
    keep(self, question, found)
    kept.append(question)
    if len(kept) == 30:
        print(*[process.pid for process in multiprocessing.active_children()], flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

journal.Journal.keep = keep_some
prepare('XrayFolder', sys.argv[1], sys.argv[2], workers=2, progress=False)
"""


@pytest.fixture
def films(tmp_path, film):
    source = tmp_path / 'source'
    for value in range(12):
        film(source / f'{value:02}.png', value)
    return source


@pytest.fixture
def read(monkeypatch, work_here):
    """Names of the files that are read."""
    work_here('muscle_mm.datasets.preparation.inspect_images')
    names = []
    inspect_xray = inspection.inspect_xray

    def note(path, **options):
        names.append(path.name)
        return inspect_xray(path, **options)

    monkeypatch.setattr(inspection, 'inspect_xray', note)
    return names


def run(source, out, **options):
    prepare('XrayFolder', source, out, set_name='films', progress=False, **options)
    return (out / 'manifest.json').read_bytes()


@pytest.mark.skipif(os.name == 'nt', reason='no SIGKILL')
def test_killed_and_continued(tmp_path, film, read):
    source, out = tmp_path / 'source', tmp_path / 'out'
    for value in range(80):
        film(source / f'{value:02}.png', value)
    command = [sys.executable, '-c', KILLED, source, out]
    killed = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert sorted(path.name for path in out.iterdir()) == [JOURNAL]
    # its reading processes end with it
    workers = [int(pid) for pid in killed.stdout.split()]
    assert len(workers) == 2
    deadline = time.monotonic() + 20
    while any(map(_alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_alive, workers))

    continued = run(source, out)
    assert len(read) == 50
    assert continued == run(source, tmp_path / 'another')


def _alive(pid):
    """Whether a process runs; one that has ended and was not yet waited for does not."""
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def test_second_run_reads_nothing(films, tmp_path, read):
    first = run(films, tmp_path / 'out')
    assert len(read) == 12
    journal = (tmp_path / 'out' / JOURNAL).read_bytes()
    assert run(films, tmp_path / 'out') == first
    assert len(read) == 12
    assert (tmp_path / 'out' / JOURNAL).read_bytes() == journal


def test_changed_and_new_files_are_read_and_missing_ones_forgotten(films, tmp_path, film, read):
    run(films, tmp_path / 'out')
    film(films / '03.png', 99)
    film(films / '12.png', 12)
    (films / '05.png').unlink()
    # same size, same time of change
    old = os.stat(films / '07.png')
    film(films / '07.png', 7)
    os.utime(films / '07.png', ns=(old.st_atime_ns, old.st_mtime_ns))
    read.clear()
    again = run(films, tmp_path / 'out')
    assert read == ['03.png', '07.png', '12.png']
    assert again == run(films, tmp_path / 'fresh')
    assert b'05.png' not in (tmp_path / 'out' / JOURNAL).read_bytes()


@pytest.mark.parametrize('cut', [1, 30, 400])
def test_line_that_was_cut_off(films, tmp_path, read, cut):
    first = run(films, tmp_path / 'out')
    journal = tmp_path / 'out' / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-cut])
    read.clear()
    assert run(films, tmp_path / 'out') == first
    # the line end alone is no loss
    assert (len(read) > 0) == (cut > 1)


@pytest.mark.parametrize(
    'content', [b'', b'\0' * 100, b'[]\n', b'{"journal": 0}\n{}\n', b'{"question": 3}\n\xff\n']
)
def test_damaged_journal_costs_time_only(films, tmp_path, read, content):
    first = run(films, tmp_path / 'out')
    (tmp_path / 'out' / JOURNAL).write_bytes(content)
    assert run(films, tmp_path / 'out') == first
    assert len(read) == 24


def test_entries_of_another_form_are_passed_over(films, tmp_path, read):
    first = run(films, tmp_path / 'out')
    journal = tmp_path / 'out' / JOURNAL
    heading = journal.read_bytes().splitlines()[0]
    lines = [heading, b'3', b'{"question": {"img_path": "00.png"}}', b'{"question": []}']
    journal.write_bytes(b'\n'.join(lines))
    assert run(films, tmp_path / 'out') == first
    assert len(read) == 24


def test_options_that_matter_are_part_of_it(films, tmp_path, read):
    run(films, tmp_path / 'out')
    run(films, tmp_path / 'out', inverted='0*')
    assert len(read) == 12
    run(films, tmp_path / 'out', frame=0)
    assert len(read) == 24


def test_another_source_is_read(films, tmp_path, film, read):
    run(films, tmp_path / 'out')
    for value in range(12):
        film(tmp_path / 'other' / f'{value:02}.png', value)
    run(tmp_path / 'other', tmp_path / 'out')
    assert len(read) == 24


def test_rejected_files_are_read_again(films, tmp_path, read):
    (films / 'bad.png').write_bytes(b'no picture')
    run(films, tmp_path / 'out')
    read.clear()
    run(films, tmp_path / 'out')
    assert read == ['bad.png']


def test_mask_that_is_gone_is_written_again(tmp_path, film, mask):
    for name in ('a', 'b'):
        film(tmp_path / f'source/images/{name}.png')
        mask(tmp_path / f'source/masks/{name}.png')
    prepare('XrayMaskFolder', tmp_path / 'source', tmp_path / 'out', progress=False)
    written = tmp_path / 'out/masks/images/a.png'
    before = written.read_bytes()
    written.unlink()
    prepare('XrayMaskFolder', tmp_path / 'source', tmp_path / 'out', progress=False)
    assert written.read_bytes() == before

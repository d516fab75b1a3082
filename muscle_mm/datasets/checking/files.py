# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Whether the files of a set are what the manifest says, and their fingerprints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from muscle_mm.datasets.checking.film import Film
from muscle_mm.datasets.checking.finding import Finding
from muscle_mm.datasets.checking.fingerprint import fingerprint
from muscle_mm.datasets.checking.fingerprint_file import (
    FINGERPRINTS_NAME,
    FingerprintFile,
    Key,
)
from muscle_mm.datasets.checking.prepared_sets import PreparedSet
from muscle_mm.datasets.io import XrayReadError, read_xray
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.file_digest import file_sha256
from muscle_mm.utils.parallel import LOST_REASON, map_files

#: Fingerprints written at once: an interruption loses no more than these.
_BATCH = 64


class _Task(NamedTuple):
    """A file to look at, in words that another process understands."""

    path: str
    sha256: str
    inverted: bool
    frame: int | None
    known: bool


class _Answer(NamedTuple):
    """What was found: a problem, or the fingerprint unless it was known."""

    problem: str | None = None
    fingerprint: np.ndarray | None = None


def check_files(
    prepared: PreparedSet, films: Sequence[Film], workers: int, progress: bool
) -> tuple[list[Finding], dict[Film, np.ndarray]]:
    """Compare every file with its hash in the manifest, and take the fingerprints.

    Args:
        prepared (PreparedSet): The set.
        films (Sequence[Film]): Its films to look at.
        workers (int): Processes.
        progress (bool): Show a progress bar.

    Returns:
        tuple: Findings of the kind 'file', and the fingerprints (dtype ``FINGERPRINT``) of the
        films without one.

    Raises:
        UserError: If the fingerprints cannot be written beside the manifest, or another process
            damages them.
    """
    store = FingerprintFile(prepared.manifest.with_name(FINGERPRINTS_NAME))
    known = store.read().keys()
    tasks = [_Task(film.path, *_key(film), _key(film) in known) for film in films]
    findings, sound, fresh = [], [], []
    bar = tqdm(
        map_files(_look_at, tasks, workers, _lost),
        total=len(tasks),
        desc=prepared.name,
        unit='image',
        disable=not progress,
    )
    try:
        for film, answer in zip(films, bar, strict=True):
            if answer.problem is not None:
                findings.append(Finding('file', (film,), answer.problem, leave_out=(film,)))
                continue
            sound.append(film)
            if answer.fingerprint is not None:
                fresh.append(answer.fingerprint)
            if len(fresh) == _BATCH:
                store.add(fresh)
                fresh = []
    finally:
        store.add(fresh)
    rows = store.read()
    if any(_key(film) not in rows for film in sound):
        raise UserError(
            f'fingerprints are missing in {store.path}: another process is writing to it. Check '
            'this set in one process at a time.'
        )
    return findings, {film: rows[_key(film)] for film in sound}


def _key(film: Film) -> Key:
    """Name the fingerprint of a film."""
    record = film.record
    return record['sha256'], bool(record.get('inverted', False)), record.get('frame')


def _look_at(task: _Task) -> _Answer:
    """Look at one file."""
    try:
        digest = file_sha256(task.path)
    except FileNotFoundError:
        return _Answer('the file has gone')
    except OSError as error:
        return _Answer(f'the file cannot be read ({error.strerror})')
    if digest != task.sha256:
        return _Answer('the file has changed since the preparation (another SHA-256)')
    if task.known:
        return _Answer()
    try:
        film = read_xray(task.path, frame=task.frame)
        return _Answer(None, fingerprint(film, task.sha256, task.inverted, task.frame))
    except XrayReadError as error:
        return _Answer(f'the file cannot be read: {error.reason}')


def _lost(task: _Task) -> _Answer:
    """Answer for a file that ended its process."""
    return _Answer(LOST_REASON)

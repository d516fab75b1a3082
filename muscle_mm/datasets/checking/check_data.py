# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Check prepared sets for leaks and for data that do not fit together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from muscle_mm.datasets.checking.annotations import check_annotations
from muscle_mm.datasets.checking.copies import check_copies
from muscle_mm.datasets.checking.data_report import DataReport
from muscle_mm.datasets.checking.files import check_files
from muscle_mm.datasets.checking.film import Film
from muscle_mm.datasets.checking.finding import Finding
from muscle_mm.datasets.checking.near_copies import DEFAULT_THRESHOLD, HASH_BITS
from muscle_mm.datasets.checking.patients import check_patients
from muscle_mm.datasets.checking.prepared_sets import (
    PreparedSet,
    find_manifests,
    read_prepared_sets,
)
from muscle_mm.datasets.exclusions import read_exclusions, write_exclusions
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.locked_folder import locked_folder
from muscle_mm.utils.parallel import worker_count


def check_data(
    roots: Iterable[str | Path],
    fix: bool = False,
    threshold: int = DEFAULT_THRESHOLD,
    workers: int | None = None,
    progress: bool = True,
) -> DataReport:
    """Check prepared sets, alone and against each other.

    A film leaks if it is a copy of one that is held out from it: a film of any train with a copy in
    any val or test, of the same set or of another one checked with it; and a film of val with a
    copy in the test of its own set.
    Images that an ``exclusions.csv`` names are passed over, unless the list is written anew.

    Args:
        roots (Iterable[str | Path]): Prepared folders, or folders that hold prepared ones.
        fix (bool): Write ``exclusions.csv`` beside each manifest. Defaults to False.
        threshold (int): Bits of 256 in which the perceptual hashes of near copies may differ.
            Defaults to 64.
        workers (int, optional): Processes. Defaults to None: one a processor.
        progress (bool): Show progress bars. Defaults to True.

    Returns:
        DataReport: What was found; the same in whatever order the folders were given.

    Raises:
        UserError: If a folder holds no prepared set, a manifest or an ``exclusions.csv`` is
            damaged, the results cannot be written beside the manifest, or another process prepares
            or checks one of the sets.
    """
    if not 0 <= threshold < HASH_BITS // 2:
        raise UserError(f'threshold={threshold} must lie between 0 and {HASH_BITS // 2 - 1}.')
    processes = worker_count(workers)
    with ExitStack() as locks:
        # From the manifests to the last list: all of it must be of the same films.
        manifests = find_manifests(roots)
        for manifest in sorted(manifests):
            locks.enter_context(locked_folder(manifest.parent))
        if find_manifests(roots) != manifests:
            raise UserError('a set was prepared or removed just now. Check the data again.')
        sets = read_prepared_sets(manifests)
        before = [_excluded(prepared, fix) for prepared in sets]
        findings = _findings(sets, before, fix, threshold, processes, progress)
        if not fix:
            return DataReport(sets, findings, before)
        after = [_reasons(prepared, findings) for prepared in sets]
        for prepared, reasons in zip(sets, after, strict=True):
            write_exclusions(prepared.exclusions, reasons)
    return DataReport(sets, findings, after, fixed=True, excluded_before=before)


def _findings(
    sets: Sequence[PreparedSet],
    excluded: Sequence[Mapping[str, str]],
    fix: bool,
    threshold: int,
    processes: int,
    progress: bool,
) -> list[Finding]:
    """Do all checks, and sort what they find."""
    findings: list[Finding] = []
    fingerprints: dict[Film, np.ndarray] = {}
    for prepared, left_out in zip(sets, excluded, strict=True):
        films = [film for film in prepared.films if fix or film.img_path not in left_out]
        found, rows = check_files(prepared, films, processes, progress)
        findings += found
        fingerprints |= rows
    findings += check_annotations(fingerprints, processes)
    # A film that cannot be used neither leaks nor is leaked.
    broken = {film for finding in findings for film in finding.leave_out}
    sound = {film: row for film, row in fingerprints.items() if film not in broken}
    findings += check_patients(sound)
    findings += check_copies(sound, threshold, processes, progress)
    return sorted(findings, key=lambda finding: finding.order)


def _excluded(prepared: PreparedSet, fix: bool) -> dict[str, str]:
    """Read the list of a set; one that will be written anew may be damaged."""
    known = {film.img_path for film in prepared.films}
    try:
        return read_exclusions(prepared.exclusions, known)
    except UserError:
        if fix:
            return {}
        raise


def _reasons(prepared: PreparedSet, findings: Sequence[Finding]) -> dict[str, str]:
    """Collect what is to be left out of a set, each image with its first reason."""
    reasons: dict[str, str] = {}
    for finding in findings:
        for film in finding.leave_out:
            if film.manifest != str(prepared.manifest):
                continue
            reason = f'{finding.kind}: {finding.reason}'
            if finding.kind in ('leak', 'copy'):
                (other,) = (other for other in finding.films if other is not film)
                reason += f' as {other}'
            reasons.setdefault(film.img_path, reason)
    return reasons

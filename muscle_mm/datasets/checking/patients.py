# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Whether every patient of a set is in one split only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from muscle_mm.datasets.checking.film import Film
from muscle_mm.datasets.checking.finding import Finding


def check_patients(films: Iterable[Film]) -> list[Finding]:
    """Find the patients who are in several splits of a set.

    The same id in two sets says nothing: sets number their patients from one.

    Args:
        films (Iterable[Film]): Films of any sets.

    Returns:
        list[Finding]: Of the kind 'patient', one a patient.
    """
    patients: dict[tuple[str, str], list[Film]] = defaultdict(list)
    for film in sorted(films, key=lambda film: film.order):
        if film.record.get('patient_id'):
            patients[film.manifest, str(film.record['patient_id'])].append(film)
    findings = []
    for (_, patient), found in patients.items():
        furthest = max(film.held_out for film in found)
        earlier = tuple(film for film in found if film.held_out < furthest)
        if earlier:
            last = next(film for film in found if film.held_out == furthest)
            reason = f'patient {patient} is in {last.split}, too'
            findings.append(Finding('patient', (*earlier, last), reason, leave_out=earlier))
    return findings

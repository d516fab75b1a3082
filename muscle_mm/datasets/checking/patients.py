# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Whether every patient is in one split only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from muscle_mm.datasets.checking.film import Film
from muscle_mm.datasets.checking.finding import Finding
from muscle_mm.datasets.dicom_patient import is_hashed


def check_patients(films: Iterable[Film]) -> list[Finding]:
    """Find the patients who are in several splits.

    Within a set, that is an error. Between sets only ids from DICOM headers are compared, train
    against the val and test of other sets, and what agrees is a warning: two hospitals may give the
    same PatientID to different people.

    Args:
        films (Iterable[Film]): Films of any sets.

    Returns:
        list[Finding]: Of the kind 'patient', one a patient and set; of the kind 'same id',
        one a patient.
    """
    patients: dict[str, dict[str, list[Film]]] = defaultdict(lambda: defaultdict(list))
    for film in sorted(films, key=lambda film: film.order):
        if film.record.get('patient_id'):
            patients[str(film.record['patient_id'])][film.manifest].append(film)
    findings = []
    for patient, sets in patients.items():
        for found in sets.values():
            furthest = max(film.held_out for film in found)
            earlier = tuple(film for film in found if film.held_out < furthest)
            if earlier:
                last = next(film for film in found if film.held_out == furthest)
                reason = f'patient {patient} is in {last.split}, too'
                findings.append(Finding('patient', (*earlier, last), reason, leave_out=earlier))
        if is_hashed(patient):
            findings += _between_sets(patient, [film for found in sets.values() for film in found])
    return findings


def _between_sets(patient: str, films: list[Film]) -> list[Finding]:
    """Warn of a patient who trains in one set and is held out in another."""
    held_out = [film for film in films if film.held_out]
    train = tuple(
        film
        for film in films
        if not film.held_out and any(film.manifest != other.manifest for other in held_out)
    )
    if not train:
        return []
    last = next(film for film in held_out if film.manifest != train[0].manifest)
    reason = f'an id {patient} is in {last.split} of another set'
    return [Finding('same id', (*train, last), reason, serious=False)]

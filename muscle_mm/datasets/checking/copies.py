# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What it means that films are copies of each other: leaks, other labels, or nothing bad."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from muscle_mm.datasets.checking.film import Film
from muscle_mm.datasets.checking.finding import Finding
from muscle_mm.datasets.checking.near_copies import find_near_copies

#: Says how two films are alike, in words for the user.
How = Callable[[Film, Film], str]


def check_copies(
    fingerprints: Mapping[Film, np.ndarray], threshold: int, workers: int, progress: bool
) -> list[Finding]:
    """Find all copies among films and judge them.

    Args:
        fingerprints (Mapping[Film, np.ndarray]): Films of all sets checked together.
        threshold (int): See ``find_near_copies``.
        workers (int): Threads.
        progress (bool): Show a progress bar.

    Returns:
        list[Finding]: Of the kinds 'leak', 'label' and 'copy'.
    """
    groups: dict[bytes, list[Film]] = defaultdict(list)
    rows: dict[bytes, np.ndarray] = {}
    for film in sorted(fingerprints, key=lambda film: film.order):
        pixels = fingerprints[film]['pixels'].tobytes()
        groups[pixels].append(film)
        rows[pixels] = fingerprints[film]
    # Not by the order of the films: the alignment of two of them is not quite symmetric.
    names = sorted(groups)
    findings = [found for name in names for found in _judge_equal(groups[name])]
    if len(names) > 1:
        unique = np.stack([rows[name] for name in names])
        for near in find_near_copies(unique, threshold, workers, progress):
            first, second = groups[names[near.first]], groups[names[near.second]]
            what = 'mirrored copy' if near.mirrored else 'near copy'
            how = f'{what}, similarity {near.similarity:.2f}'
            findings += _judge_near(first, second, how, compare_labels=not near.mirrored)
    return findings


def _judge_equal(films: Sequence[Film]) -> Iterator[Finding]:
    """Judge films of equal pixels."""

    def how(first: Film, second: Film) -> str:
        same_file = first.record['sha256'] == second.record['sha256']
        return 'equal bytes' if same_file else 'equal pixels'

    if len(films) == 1:
        return
    yield from _leaks(films, films, how)
    yield from _other_labels(films, 'equal films')
    first_of_split: dict[str, Film] = {}
    first_of_set: dict[tuple[str, str], Film] = {}
    for film in films:
        kept = first_of_set.setdefault((film.manifest, film.split), film)
        if kept is not film:
            left_out = (film,) if film.split == 'train' else ()
            yield Finding('copy', (kept, film), how(kept, film), False, left_out)
            continue
        kept = first_of_split.setdefault(film.split, film)
        if kept is not film:
            yield Finding('copy', (kept, film), f'{how(kept, film)}, in two sets', False)


def _judge_near(
    first: Sequence[Film], second: Sequence[Film], how: str, compare_labels: bool
) -> Iterator[Finding]:
    """Judge two groups of equal films that are near copies of each other."""
    yield from _leaks(first, second, lambda one, other: how)
    yield from _leaks(second, first, lambda one, other: how)
    if compare_labels:
        yield from _other_labels([*first, *second], how)
    for split in sorted({film.split for film in first} & {film.split for film in second}):
        one, other = (next(f for f in films if f.split == split) for films in (first, second))
        pair = sorted((one, other), key=lambda film: film.order)
        yield Finding('copy', tuple(pair), how, serious=False)


def _leaks(films: Iterable[Film], copies: Sequence[Film], how: How) -> Iterator[Finding]:
    """Find the films that show what a copy of them is to test later."""
    for film in films:
        later = [copy for copy in copies if _is_held_out_from(copy, film)]
        if later:
            held_out = max(later, key=lambda copy: copy.held_out)  # the first of the furthest
            yield Finding('leak', (film, held_out), how(film, held_out), leave_out=(film,))


def _is_held_out_from(copy: Film, film: Film) -> bool:
    """Whether results on one film are spoilt by the use of the other.

    What is in any train must be in no val or test: step 1 trains on the films of all sets. A val
    chooses models for its own set only.
    """
    if film.split == 'val':
        return copy.split == 'test' and copy.manifest == film.manifest
    return copy.held_out > film.held_out


def _other_labels(films: Iterable[Film], how: str) -> Iterator[Finding]:
    """Find copies whose labels mean the same things and differ."""
    by_task: dict[tuple[Any, ...], list[Film]] = defaultdict(list)
    for film in films:
        if _label(film) is not None:
            by_task[film.task].append(film)
    for task, alike in by_task.items():
        labels = [_label(film) for film in alike]
        if len(set(labels)) == 1:
            continue
        alike.sort(key=lambda film: film.order)
        in_train = tuple(film for film in alike if film.split == 'train')
        names = [_name(_label(film), task[1:]) for film in alike]
        # Of films that are held out nobody but the user decides: they may be a published test set.
        yield Finding(
            'label', tuple(alike), f'{" / ".join(names)} ({how})', bool(in_train), in_train
        )


def _label(film: Film) -> tuple[int, ...] | None:
    """Give what can be compared of a film's label: the class, or the classes of its boxes."""
    if 'gt_label' in film.record:
        return (film.record['gt_label'],)
    if 'instances' in film.record:
        return tuple(sorted({box['bbox_label'] for box in film.record['instances']}))
    return None


def _name(label: tuple[int, ...] | None, classes: Sequence[str]) -> str:
    """Write a label in words."""
    names = [classes[number] if number < len(classes) else str(number) for number in label or ()]
    return ' + '.join(names) or 'no box'

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Whether masks, boxes and labels can belong to their films."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from muscle_mm.datasets.checking.film import Film
from muscle_mm.datasets.checking.finding import Finding
from muscle_mm.datasets.io import XrayReadError, read_xray
from muscle_mm.datasets.preparation.boxes import check_boxes


def check_annotations(films: Iterable[Film], workers: int) -> list[Finding]:
    """Check masks, boxes and labels of films.

    Args:
        films (Iterable[Film]): The films.
        workers (int): Masks read at a time.

    Returns:
        list[Finding]: Of the kinds 'mask', 'empty mask', 'box' and 'class'.
    """
    films = list(films)
    findings = [finding for film in films for finding in _check_record(film)]
    masked = [film for film in films if film.mask is not None]
    with ThreadPoolExecutor(workers) as executor:
        findings += [found for found in executor.map(_check_mask, masked) if found]
    return findings


def _check_record(film: Film) -> Iterator[Finding]:
    """Check what the manifest says of a film."""
    record, classes = film.record, film.task[1:]
    if 'instances' in record:
        reason = check_boxes(record['instances'], record['height'], record['width'])
        if reason is not None:
            yield Finding('box', (film,), reason, leave_out=(film,))
    labels = [instance.get('bbox_label') for instance in record.get('instances', ())]
    if 'gt_label' in record:
        labels.append(record['gt_label'])
    for label in labels:
        if classes and (type(label) is not int or not 0 <= label < len(classes)):
            reason = f'the label {label!r} is none of the {len(classes)} classes of the set'
            yield Finding('class', (film,), reason, leave_out=(film,))
            break


def _check_mask(film: Film) -> Finding | None:
    """Check the mask of a film."""
    assert film.mask is not None
    height, width = film.record['height'], film.record['width']
    try:
        # The ends of the grey values are kept as they are.
        mask = read_xray(film.mask, percentiles=(0, 100))
    except XrayReadError as error:
        return Finding('mask', (film,), f'mask {film.mask}: {error.reason}', leave_out=(film,))
    if mask.shape != (height, width):
        reason = (
            f'the mask has {mask.shape[1]} x {mask.shape[0]} pixels, the image {width} x {height}'
        )
        return Finding('mask', (film,), reason, leave_out=(film,))
    values = np.flatnonzero(np.bincount(mask.ravel(), minlength=256))
    if not set(values.tolist()) <= {0, 255}:
        reason = 'the mask holds other values than 0 and 255'
        return Finding('mask', (film,), reason, leave_out=(film,))
    if values[-1] == 0:
        return Finding('empty mask', (film,), 'the mask is 0 everywhere', serious=False)
    return None

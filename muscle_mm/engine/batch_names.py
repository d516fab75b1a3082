# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Which sets and files a batch is from."""

from collections.abc import Mapping
from typing import Any


def files_by_set(data_batch: Any) -> dict[str, list[str]]:
    """Name the files of a batch, as far as it knows them.

    Args:
        data_batch (Any): What the data loader gave: with ``dataset`` (or ``task``) and
            ``img_path``, one of each a film, as in step 1; or with the toolboxes'
            ``data_samples``, whose metainfo has ``img_path``.

    Returns:
        dict[str, list[str]]: The files of each set. A set without a name is called 'unnamed set'; a
        set has no files where the batch does not say them.
    """
    if not isinstance(data_batch, Mapping):
        return {}
    samples = data_batch.get('data_samples')
    samples = list(samples) if isinstance(samples, (list, tuple)) else []
    metainfo = [getattr(sample, 'metainfo', {}) for sample in samples]
    files = _names(data_batch.get('img_path')) or [
        str(info['img_path']) for info in metainfo if info.get('img_path')
    ]
    sets = (
        _names(data_batch.get('dataset'))
        or _names(data_batch.get('task'))
        or [str(info['dataset']) for info in metainfo if info.get('dataset')]
    )
    if not files:
        return {name: [] for name in sets}
    if len(sets) != len(files):
        sets = [' and '.join(dict.fromkeys(sets)) or 'unnamed set'] * len(files)
    grouped: dict[str, list[str]] = {}
    for name, file in zip(sets, files, strict=True):
        grouped.setdefault(name or 'unnamed set', []).append(file)
    return grouped


def _names(value: Any) -> list[str]:
    """Take one name, or one name a film."""
    if isinstance(value, str):
        return [value]
    return [str(name) for name in value] if isinstance(value, (list, tuple)) else []

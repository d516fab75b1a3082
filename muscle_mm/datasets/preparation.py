# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Turn a set in its published layout into a manifest."""

from __future__ import annotations

import csv
import hashlib
import inspect
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from muscle_mm.datasets.catalogue import PUBLIC_SETS, find_set
from muscle_mm.datasets.io import XrayReadError, read_xray
from muscle_mm.datasets.manifest import MANIFEST_NAME, MANIFEST_VERSION, write_manifest
from muscle_mm.datasets.preparation_summary import PreparationSummary
from muscle_mm.datasets.splits import split_patients
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.processors import available_processors
from muscle_mm.utils.whole_file import whole_file

REJECTED_NAME = 'rejected.csv'
#: Below this many files, starting processes costs more than it saves.
_FILES_WORTH_PROCESSES = 64


def prepare(
    name: str,
    source: str | Path,
    out: str | Path,
    seed: int = 0,
    official_split: bool | None = None,
    workers: int | None = None,
    set_name: str | None = None,
    classes: Sequence[str] | None = None,
    patient_pattern: str | None = None,
    inverted: str | None = None,
    progress: bool = True,
) -> PreparationSummary:
    """Scan a set, read every file once, split by patient and write the manifest.

    The source is never written to. The same source, place and options give the same bytes, with any
    number of processes. Files that cannot be used are listed with the reason in ``rejected.csv``.

    Args:
        name (str): The data set, for example 'PneumoniaCXR' or 'XrayFolder'.
        source (str | Path): Folder of the unpacked set.
        out (str | Path): Folder for manifest, masks and list of rejected files; made if missing.
        seed (int): Of the split. Defaults to 0.
        official_split (bool, optional): Keep the split of the source. Defaults to None: yes for the
            folder layouts where they have one, no for the public sets (80/10/10 by patient).
        workers (int, optional): Processes. Defaults to None: one a processor.
        set_name (str, optional): Name of the set in every sample. Defaults to None: the name of the
            class for a public set, of the folder ``out`` for a folder layout.
        classes (Sequence[str], optional): Only for folder layouts. Defaults to None.
        patient_pattern (str, optional): Only for folder layouts. Defaults to None.
        inverted (str, optional): Only for XrayFolder. Defaults to None.
        progress (bool): Show a progress bar. Defaults to True.

    Returns:
        PreparationSummary: Counts of images by split and class.

    Raises:
        UserError: If the source is missing or does not hold the set, an option does not fit, or no
            image can be used.
    """
    cls = find_set(name)
    source, out = Path(source).expanduser(), Path(out).expanduser()
    _check_folders(source, out)
    options = {'classes': classes, 'patient_pattern': patient_pattern, 'inverted': inverted}
    options = {key: value for key, value in options.items() if value is not None}
    scan = _with_options(cls, cls.scan, options)
    class_names = _with_options(
        cls, cls.class_names, {key: value for key, value in options.items() if key == 'classes'}
    )

    raw = list(scan(source))
    if not raw:
        raise UserError(f'{name}: no image with a usable label found in {source}.')
    names = class_names(source)
    usable = [record for record in raw if 'problem' not in record]
    rejected = {record['img_path']: record['problem'] for record in raw if 'problem' in record}

    out.mkdir(parents=True, exist_ok=True)
    records = []
    for record, problem in _inspect_all(usable, source, out, workers, name, progress):
        if problem is None:
            records.append(record)
        else:
            rejected[record['img_path']] = problem
    if not records:
        _write_rejected(out / REJECTED_NAME, rejected)
        path, reason = min(rejected.items())
        raise UserError(
            f'{name}: none of the {len(raw)} images in {source} can be used; the reasons are in '
            f'{out / REJECTED_NAME}. The first: {path}: {reason}.'
        )
    records, problems = _assign_splits(cls, records, seed, official_split)
    rejected |= problems
    if set_name is None:
        set_name = name if name in PUBLIC_SETS else out.resolve().name
    metainfo = _metainfo(cls, records, names, set_name)
    metainfo |= {'seed': seed, 'source_root': _relative_root(source, out)}
    write_manifest(out / MANIFEST_NAME, metainfo, records)
    _write_rejected(out / REJECTED_NAME, rejected)
    return PreparationSummary(
        name=name,
        manifest=out / MANIFEST_NAME,
        classes=names or (),
        task=metainfo['task'],
        records=records,
        rejected=len(rejected),
        rejected_file=out / REJECTED_NAME,
        published_images=cls.METAINFO.get('published_images'),
        paper_images=cls.METAINFO.get('paper_images'),
    )


def _check_folders(source: Path, out: Path) -> None:
    """Refuse a missing source, and an output that would write into it."""
    if not source.is_dir():
        raise UserError(f'the source folder {source} (--src) does not exist or is not a folder.')
    if out.exists() and not out.is_dir():
        raise UserError(f'the output {out} (--out) is a file, expected a folder.')
    if out.resolve().is_relative_to(source.resolve()):
        raise UserError(
            f'the output folder {out} (--out) lies inside the source {source} (--src), which is '
            'never written to. Choose another place.'
        )


def _with_options(cls: type[XrayDataset], method: Any, options: dict[str, Any]) -> Any:
    """Bind options to a scan, refusing those that the set does not have."""
    known = inspect.signature(cls.scan).parameters
    for key in options:
        if key not in known:
            raise UserError(
                f'{cls.__name__} takes no option {key}: its layout is fixed. It is for the folder '
                'layouts, for example XrayFolder.'
            )
    return partial(method, **options)


def _inspect_all(
    records: list[dict[str, Any]],
    source: Path,
    out: Path,
    workers: int | None,
    name: str,
    progress: bool,
) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Inspect every file, in parallel where it pays; the order stays."""
    inspect_one = partial(_inspect, source=source, out=out)
    processes = workers if workers is not None else available_processors()
    if processes < 1:
        raise UserError(f'workers={processes} must be at least 1.')
    bar = partial(tqdm, total=len(records), desc=name, unit='image', disable=not progress)
    if processes == 1 or len(records) < _FILES_WORTH_PROCESSES:
        yield from bar(map(inspect_one, records))
        return
    executor = ProcessPoolExecutor(processes)
    try:
        # Small pieces, so that the bar moves and an interruption is not kept waiting.
        yield from bar(executor.map(inspect_one, records, chunksize=4))
    except BrokenProcessPool:
        raise UserError(
            f'{name}: a reading process was killed, most likely for lack of memory. Try again with '
            '--workers 1.'
        ) from None
    finally:
        executor.shutdown(cancel_futures=True)


def _inspect(record: dict[str, Any], source: Path, out: Path) -> tuple[dict[str, Any], str | None]:
    """Read one image and its masks.

    Returns:
        tuple: The finished record without split, and None; or the raw one and the reason against
        it.
    """
    path = source / record['img_path']
    try:
        height, width = read_xray(path).shape
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except XrayReadError as error:
        return record, error.reason
    finished = {key: value for key, value in record.items() if key != 'masks'}
    finished |= {'height': height, 'width': width, 'sha256': digest}
    problem = _check_boxes(record.get('instances', ()), height, width)
    if problem is None and 'masks' in record:
        finished['seg_map_path'], problem = _join_masks(record, source, out, (height, width))
    return finished, problem


def _check_boxes(instances: Sequence[dict[str, Any]], height: int, width: int) -> str | None:
    """Give the reason against the boxes of an image, or None."""
    for instance in instances:
        x1, y1, x2, y2 = box = instance['bbox']
        if not np.isfinite(box).all():
            return f'the box {box} is not four finite numbers'
        if not (x2 > x1 and y2 > y1):
            return f'the box {box} (x1, y1, x2, y2) is empty'
        if x1 >= width or y1 >= height or x2 <= 0 or y2 <= 0:
            return f'the box {box} (x1, y1, x2, y2) lies outside the image of {width} x {height}'
    return None


def _join_masks(
    record: dict[str, Any], source: Path, out: Path, shape: tuple[int, int]
) -> tuple[str, str | None]:
    """Join the masks of an image into one 0 / 255 PNG below ``out/masks``.

    Published masks come as 0/1 or 0/255, grey or colour, joined or as left and right. Written once
    in one form, they need no guess when they are read, and the stock LoadAnnotations reads them.

    Returns:
        tuple[str, str | None]: Path relative to ``out``, and the reason against the mask or None.
    """
    from PIL import Image

    joined = np.zeros(shape, dtype=bool)
    for mask_path in record['masks']:
        try:
            # Grey values as they are: for 16 bits, the ends are the mask's own.
            mask = read_xray(source / mask_path, percentiles=(0, 100))
        except XrayReadError as error:
            return '', f'mask {mask_path}: {error.reason}'
        if mask.shape != shape:
            return '', (
                f'mask {mask_path} has {mask.shape[1]} x {mask.shape[0]} pixels, the image '
                f'{shape[1]} x {shape[0]}'
            )
        joined |= mask > (127 if mask.max() > 1 else 0)
    target = out / 'masks' / Path(record['img_path']).with_suffix('.png')
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as unfinished:
        Image.fromarray(joined.astype(np.uint8) * 255).save(unfinished, format='PNG')
    return target.relative_to(out).as_posix(), None


def _assign_splits(
    cls: type[XrayDataset],
    records: list[dict[str, Any]],
    seed: int,
    official_split: bool | None,
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Give every record its split.

    Returns:
        tuple: The records, and the reasons against those that an official split leaves out.
    """
    has_official = any('split' in record for record in records)
    if official_split and not has_official:
        raise UserError(
            f'{cls.__name__}: the source has no official split. Leave out --official-split.'
        )
    if official_split is None:
        official_split = cls.OFFICIAL_SPLIT_BY_DEFAULT and has_official
    problems = {}
    if official_split:
        for record in records:
            if 'split' not in record:
                problems[record['img_path']] = 'not in the official split'
        records = [record for record in records if 'split' in record]
        if not any(record['split'] == 'val' for record in records):
            # No published validation set: a tenth of the training patients.
            train = [record for record in records if record['split'] == 'train']
            split_of = split_patients(train, seed, test_fraction=0)
            for record in train:
                record['split'] = split_of[record['patient_id']]
    elif _task_of(cls, records) == 'none':
        # Nothing is tested on a set without labels: step 1 may see all of it.
        for record in records:
            record['split'] = 'train'
    else:
        split_of = split_patients(records, seed)
        for record in records:
            record['split'] = split_of[record['patient_id']]
    for record in records:
        record.pop('stratum', None)
    return records, problems


def _task_of(cls: type[XrayDataset], records: list[dict[str, Any]]) -> str:
    """Name the task of a set."""
    if 'task' in cls.METAINFO:
        return cls.METAINFO['task']
    return 'classification' if any('gt_label' in record for record in records) else 'none'


def _metainfo(
    cls: type[XrayDataset],
    records: list[dict[str, Any]],
    names: tuple[str, ...] | None,
    set_name: str,
) -> dict[str, Any]:
    """Build what holds for the whole set."""
    metainfo: dict[str, Any] = {
        'manifest_version': MANIFEST_VERSION,
        'dataset': set_name,
        'layout': cls.__name__,
        'task': _task_of(cls, records),
    }
    if names:
        metainfo['classes'] = list(names)
    if 'palette' in cls.METAINFO:
        metainfo['palette'] = cls.METAINFO['palette']
    return metainfo


def _relative_root(source: Path, out: Path) -> str:
    """Write the source as seen from the output, so that both can move together."""
    try:
        return Path(os.path.relpath(source.resolve(), out.resolve())).as_posix()
    except ValueError:  # another drive on Windows
        return source.resolve().as_posix()


def _write_rejected(path: Path, rejected: dict[str, str]) -> None:
    """Write the list of files that were not used, empty below its heading where all were."""
    with (
        whole_file(path) as unfinished,
        open(unfinished, 'w', newline='', encoding='utf-8', errors='surrogateescape') as file,
    ):
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(('path', 'reason'))
        writer.writerows(sorted(rejected.items()))

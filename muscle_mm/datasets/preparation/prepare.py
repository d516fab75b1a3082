# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The way from a set in its published layout to a manifest."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from muscle_mm.datasets.catalogue import FOLDER_SETS, PUBLIC_SETS, find_set
from muscle_mm.datasets.manifest import MANIFEST_NAME, MANIFEST_VERSION, write_manifest
from muscle_mm.datasets.own_films import count_other_files
from muscle_mm.datasets.preparation.boxes import check_annotated_size, check_boxes
from muscle_mm.datasets.preparation.inspect_images import inspect_images
from muscle_mm.datasets.preparation.labels import LabelFile
from muscle_mm.datasets.preparation.masks import MASKS_FOLDER
from muscle_mm.datasets.preparation.raw_records import check_options, raw_records
from muscle_mm.datasets.preparation.rejections import REJECTED_NAME, Rejections
from muscle_mm.datasets.preparation.split_choice import split_as_published, split_by_patient
from muscle_mm.datasets.preparation.split_file import SplitFile
from muscle_mm.datasets.preparation.summary import PreparationSummary
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.datasets.xray_folder import XrayFolder
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.locked_folder import locked_folder
from muscle_mm.utils.parallel import worker_count
from muscle_mm.utils.whole_file import whole_file

SUMMARY_NAME = 'summary.txt'
#: What a raw record says to the preparation alone.
_NOT_IN_MANIFEST = ('masks', 'stratum', 'patient_from_header', 'annotated_size')


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
    *,
    split_file: str | Path | None = None,
    labels: str | Path | None = None,
    frame: int | None = None,
    strict: bool = False,
) -> PreparationSummary:
    """Scan a set, decode and hash every file, split by patient and write the manifest.

    The source is never written to. The same source, place and options give the same bytes, with any
    number of processes. Files that cannot be used are listed with the reason in ``rejected.csv``.
    A preparation that was ended, however, goes on where it was, and a second one reads only what
    has changed: what was found out about each file is kept in ``inspected.jsonl``.

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
        inverted (str, optional): Only for folder layouts: pattern of the names of films that store
            bone dark. Defaults to None.
        progress (bool): Show a progress bar. Defaults to True.
        split_file (str | Path, optional): CSV file with the columns ``patient_id,split`` or
            ``img_path,split``, in place of any other split. Defaults to None.
        labels (str | Path, optional): Only for XrayFolder and DicomFolder: CSV file with the
            columns ``patient_id,label`` or ``img_path,label``, in place of class folders. Defaults
            to None.
        frame (int, optional): Only for folder layouts: the frame to use, from 0, of films that hold
            several. Defaults to None: such films are rejected.
        strict (bool): Fail, and leave the manifest as it was, if any file is rejected or a patient
            is in more than one split. Defaults to False.

    Returns:
        PreparationSummary: Counts of images by split and class.

    Raises:
        UserError: If the source is missing or does not hold the set, an option does not fit, or no
            image can be used; with ``strict``, if any file is rejected.
    """
    cls = find_set(name)
    source, out = Path(source).expanduser(), Path(out).expanduser()
    _check_folders(source, out)
    processes = worker_count(workers)
    if frame is not None and frame < 0:
        raise UserError(f'--frame {frame} must be counted from 0.')
    split_list = None if split_file is None else SplitFile(split_file)
    if split_list is not None and official_split:
        raise UserError('--split-file and --official-split exclude each other.')
    label_file = None
    if labels is not None:
        if not issubclass(cls, XrayFolder):
            raise UserError(f'{name} has labels of its own; --labels is for XrayFolder.')
        # The classes are those of the table, not of folders.
        label_file, classes = LabelFile(labels, classes), ()
    given = {
        'classes': classes,
        'patient_pattern': patient_pattern,
        'inverted': inverted,
        'frame': frame,
    }
    options = {key: value for key, value in given.items() if value is not None}
    check_options(cls, options)

    rejections = Rejections()
    raw = raw_records(cls, source, options, rejections, progress)
    other_files: dict[str, int] = {}
    if name in FOLDER_SETS:
        used = {path for record in raw for path in (record['img_path'], *record.get('masks', ()))}
        other_files = count_other_files(source, used | rejections.paths)
    names = cls.class_names(source, **({} if classes is None else {'classes': classes}))
    out.mkdir(parents=True, exist_ok=True)
    with locked_folder(out):
        root = _relative_root(source, out)
        records = _read_all(raw, source, out, root, processes, name, progress, rejections)
        if label_file is not None:
            records, names = label_file.assign(records, rejections), label_file.classes
        task = _task_of(cls, records)
        if official_split is None:
            official_split = cls.OFFICIAL_SPLIT_BY_DEFAULT and any('split' in r for r in records)
        if split_list is not None:
            records, split_by = split_list.assign(records, rejections), 'file'
        elif official_split:
            records, split_by = split_as_published(cls, records, seed, rejections), 'official'
        elif task == 'none':
            # Nothing is tested on a set without labels: step 1 may see all of it.
            records, split_by = [record | {'split': 'train'} for record in records], 'none'
        else:
            records, split_by = split_by_patient(records, seed), 'patient'
        records = [
            {key: value for key, value in record.items() if key not in _NOT_IN_MANIFEST}
            for record in records
        ]

        rejections.write(out / REJECTED_NAME)
        summary = PreparationSummary(
            name=name,
            manifest=out / MANIFEST_NAME,
            classes=names or (),
            task=task,
            records=records,
            rejected=len(rejections),
            rejected_file=out / REJECTED_NAME,
            expected=cls.METAINFO,
            other_files=other_files,
        )
        _check_result(summary, rejections, source, strict)
        metainfo: dict[str, Any] = {
            'manifest_version': MANIFEST_VERSION,
            'dataset': set_name or (name if name in PUBLIC_SETS else out.resolve().name),
            'layout': cls.__name__,
            'task': task,
            'seed': seed,
            'split_by': split_by,
            'source_root': root,
        }
        if names:
            metainfo['classes'] = list(names)
        if 'palette' in cls.METAINFO:
            metainfo['palette'] = cls.METAINFO['palette']
        write_manifest(out / MANIFEST_NAME, metainfo, records)
        with whole_file(out / SUMMARY_NAME) as unfinished:
            unfinished.write_text(f'{summary}\n', encoding='utf-8', errors='backslashreplace')
        return summary


def _check_folders(source: Path, out: Path) -> None:
    """Refuse a missing source, and an output that would write into it."""
    if not source.is_dir():
        raise UserError(f'the source folder {source} (--src) does not exist or is not a folder.')
    if out.exists() and not out.is_dir():
        raise UserError(f'the output {out} (--out) is a file, expected a folder.')
    for written in (out, out / MASKS_FOLDER):
        if written.resolve().is_relative_to(source.resolve()):
            raise UserError(
                f'the output folder {written} (--out) lies inside the source {source} (--src), '
                'which is never written to. Choose another place.'
            )


def _read_all(
    raw: list[dict[str, Any]],
    source: Path,
    out: Path,
    root: str,
    processes: int,
    name: str,
    progress: bool,
    rejections: Rejections,
) -> list[dict[str, Any]]:
    """Read every image, and give the records of the good ones."""
    records = []
    inspections = inspect_images(raw, source, out, root, processes, name, progress)
    for record, inspection in zip(raw, inspections, strict=True):
        problem = inspection.problem
        complete = record | inspection.found
        if problem is None and 'annotated_size' in record:
            problem = check_annotated_size(
                record['annotated_size'], complete['height'], complete['width']
            )
        if problem is None:
            boxes = record.get('instances', ())
            problem = check_boxes(boxes, complete['height'], complete['width'])
        if problem is None:
            records.append(complete)
        else:
            rejections.add(record['img_path'], problem)
    return records


def _check_result(
    summary: PreparationSummary, rejections: Rejections, source: Path, strict: bool
) -> None:
    """Refuse a set of which nothing can be used, or, if it must be so, anything not."""
    where = f'The reasons are in {summary.rejected_file}'
    if not summary.records:
        raise UserError(
            f'{summary.name}: none of the images in {source} can be used. {where}. The first: '
            f'{rejections.first()[0]}.'
        )
    if not strict:
        return
    if rejections:
        reasons = ''.join(f'\n  {reason}' for reason in rejections.first(5))
        raise UserError(
            f'{summary.name}: {len(rejections)} files are rejected, and --strict allows none; no '
            f'manifest was written. {where}. The first:{reasons}'
        )
    if summary.patients_in_several_splits:
        raise UserError(
            f'{summary.name}: {summary.patients_in_several_splits} patients are in more than one '
            'split, and --strict allows none; no manifest was written. Use --no-official-split for '
            'a split by patient, or correct the split file.'
        )


def _task_of(cls: type[XrayDataset], records: list[dict[str, Any]]) -> str:
    """Name the task of a set."""
    if 'task' in cls.METAINFO:
        return cls.METAINFO['task']
    return 'classification' if any('gt_label' in record for record in records) else 'none'


def _relative_root(source: Path, out: Path) -> str:
    """Write the source as seen from the output, so that both can move together."""
    try:
        return Path(os.path.relpath(source.resolve(), out.resolve())).as_posix()
    except ValueError:  # another drive on Windows
        return source.resolve().as_posix()

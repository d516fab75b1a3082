# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Writes phantom radiographs to disk."""

import json
import math
import multiprocessing
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import cv2

from muscle_mm.phantoms.layouts import LAYOUTS, FilmPlan
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.processors import available_processors

VERSION = 2
"""Raised with every change of the pixels or the files, so that older phantoms are made anew."""

MARKER = 'phantoms.json'
"""The file in a set's folder that says: these are phantoms, made so."""

SMALLEST = 32

Report = Callable[[str, int, int], None]


def write_phantoms(
    out: Path,
    counts: Mapping[str, int] | None = None,
    scale: float = 1.0,
    size: int = 256,
    seed: int = 0,
    workers: int | None = None,
    sets: Sequence[str] | None = None,
    report: Report | None = None,
) -> dict[str, Path]:
    """Write phantom radiographs in the published layouts of the nine sets.

    Every pixel follows from the seed, the set, the patient and the film alone, whatever the number
    of workers. A set that is already there, made in the same way, is left alone.

    Args:
        out (Path): The folder that gets one folder a set.
        counts (Mapping[str, int] | None): Films of a set, instead of its default times the scale.
            Default: None.
        scale (float): Factor on the default number of films of each set. Default: 1.
        size (int): Typical length of a film's shorter side, at least 32. Default: 256.
        seed (int): The seed. Default: 0.
        workers (int | None): Processes; None takes one a processor. Default: None.
        sets (Sequence[str] | None): Names of the sets, as in ``muscle_mm.datasets``; None takes all
            nine. Default: None.
        report (Report | None): Called with (set, films done, films in all) as it goes.
            Default: None.

    Returns:
        dict[str, Path]: The folder of each set, as ``tools/prepare_dataset.py --src`` wants it.

    Raises:
        UserError: On an unknown set, an impossible size, scale or count, or a folder that holds
            something else than phantoms.
    """
    chosen = list(LAYOUTS) if sets is None else list(sets)
    for name in [*chosen, *(counts or {})]:
        if name not in LAYOUTS:
            raise UserError(f"No phantoms for a set '{name}': choose from {', '.join(LAYOUTS)}.")
    if size < SMALLEST:
        raise UserError(f'A phantom of size {size} shows nothing: choose at least {SMALLEST}.')
    if not (math.isfinite(scale) and scale > 0):
        raise UserError(f'The scale of the phantoms is {scale}: choose a number above 0.')
    if seed < 0:
        raise UserError(f'The seed of the phantoms is {seed}: choose 0 or more.')
    if workers is not None and workers < 1:
        raise UserError(f'The number of workers is {workers}: choose at least 1.')
    numbers = {
        name: (counts or {}).get(name, max(2, round(LAYOUTS[name].default_count * scale)))
        for name in chosen
    }
    for name, count in numbers.items():
        if count < 2:
            raise UserError(
                f"{count} phantoms for the set '{name}' are too few: choose at least 2."
            )
    return {
        name: _write_set(Path(out), name, count, size, seed, workers, report)
        for name, count in numbers.items()
    }


def _write_set(
    out: Path,
    name: str,
    count: int,
    size: int,
    seed: int,
    workers: int | None,
    report: Report | None,
) -> Path:
    layout = LAYOUTS[name]
    root = out / layout.folder
    marker = root / MARKER
    stamp = {'set': name, 'version': VERSION, 'seed': seed, 'size': size, 'count': count}
    found = _read_marker(root, marker)
    if found == {**stamp, 'complete': True}:
        return root
    if found is not None:
        shutil.rmtree(root)
    root.mkdir(parents=True, exist_ok=True)
    marker.write_text(json.dumps({**stamp, 'complete': False}))
    films = layout.plan(count, seed)
    facts = []
    for done, fact in enumerate(_draw_all(name, root, films, size, seed, workers), 1):
        facts.append(fact)
        if report is not None:
            report(name, done, len(films))
    layout.write_tables(root, films, facts, seed)
    marker.write_text(json.dumps({**stamp, 'complete': True}))
    return root


def _read_marker(root: Path, marker: Path) -> dict[str, Any] | None:
    """Return what the marker says, None where the folder is still empty."""
    if not root.exists() or not any(root.iterdir()):
        return None
    try:
        content = json.loads(marker.read_text())
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict):
        raise UserError(
            f"'{root}' holds files that are not phantoms (it has no readable {MARKER}); nothing was"
            ' changed. Choose another folder, or move these files away.'
        )
    return content


def _draw_all(
    name: str, root: Path, films: list[FilmPlan], size: int, seed: int, workers: int | None
) -> Iterator[dict[str, Any]]:
    workers = workers or available_processors()
    workers = min(workers, math.ceil(len(films) / 8))
    jobs = [(name, root, film, size, seed) for film in films]
    if workers == 1:
        yield from map(_draw_one, jobs)
        return
    # A fresh interpreter costs a second; a forked one costs nothing, and only NumPy and OpenCV
    # run in it.
    method = 'fork' if 'fork' in multiprocessing.get_all_start_methods() else 'spawn'
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(workers, context) as pool:
        yield from pool.map(_draw_one, jobs, chunksize=4)


def _draw_one(job: tuple[str, Path, FilmPlan, int, int]) -> dict[str, Any]:
    # Several threads on one small film cost more than they bring.
    cv2.setNumThreads(1)
    name, root, film, size, seed = job
    return LAYOUTS[name].write_film(root, film, size, seed)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Look into all images of a set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from muscle_mm.datasets.preparation.inspection import (
    Inspection,
    inspect_image,
    lost_inspection,
    question_of,
)
from muscle_mm.datasets.preparation.journal import JOURNAL_NAME, Journal
from muscle_mm.utils.parallel import map_files


def inspect_images(
    records: Sequence[Mapping[str, Any]],
    source: Path,
    out: Path,
    root: str,
    workers: int,
    name: str,
    progress: bool,
) -> Iterator[Inspection]:
    """Look into every image of a set, those apart that an earlier run has seen and nobody changed.

    Args:
        records (Sequence[Mapping]): The raw records.
        source (Path): The folder of the set.
        out (Path): The folder of the manifest, where the journal is kept.
        root (str): The source as the manifest names it.
        workers (int): Processes, at least 1.
        name (str): Of the set, for the progress bar.
        progress (bool): Show a progress bar.

    Yields:
        Inspection: Of each record, in the order of the records.
    """
    questions = [question_of(record) for record in records]
    with Journal(out / JOURNAL_NAME, root) as journal:
        known = [journal.recall(question, source, out) for question in questions]
        pairs = list(zip(questions, known, strict=True))
        missing = [question for question, found in pairs if found is None]
        inspect = partial(inspect_image, source=source, out=out)
        inspected = map_files(inspect, missing, workers, lost_inspection)
        with tqdm(
            total=len(questions),
            initial=len(questions) - len(missing),
            desc=name,
            unit='image',
            disable=not progress,
        ) as bar:
            for question, found in pairs:
                if found is None:
                    found = next(inspected)
                    journal.keep(question, found)
                    bar.update()
                yield found
        journal.finish(questions)

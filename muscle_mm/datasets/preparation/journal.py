# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What has been found out about each image, so that an ended preparation goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from muscle_mm.datasets.preparation.inspection import Inspection, stamps_of
from muscle_mm.utils.whole_file import whole_file
from muscle_mm.version import __version__

JOURNAL_NAME = 'inspected.jsonl'
#: Raised when an inspection finds other things than before.
_JOURNAL_VERSION = 2


class Journal:
    """Keep inspections in a file beside the manifest, one JSON line each, as they come.

    A line that an interruption cut off is passed over. An inspection is used again as long as
    nothing that it depends on has changed: source folder, options, version of this package, and
    size and times of every file. Only good files are kept, a rejected one is read again each time.

    Args:
        path (Path): The file; need not exist.
        root (str): The source folder, relative to the output, as in the manifest.
    """

    def __init__(self, path: Path, root: str) -> None:
        self._path = path
        self._heading = {'journal': _JOURNAL_VERSION, 'muscle_mm': __version__, 'source': root}
        self._entries: dict[str, dict[str, Any]] = self._load()
        # Written anew, whole: what was cut off or is of no more use goes.
        self._rewrite(self._entries)
        self._file = open(path, 'a', encoding='ascii')  # noqa: SIM115

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        stack: TracebackType | None,
    ) -> None:
        self._file.close()

    def recall(self, question: Mapping[str, Any], source: Path, out: Path) -> Inspection | None:
        """Find the inspection of an image that has not changed since.

        Args:
            question (Mapping): What its inspection depends on.
            source (Path): The folder of the set.
            out (Path): The folder of the manifest.

        Returns:
            Inspection | None: None if the image must be read.
        """
        entry = self._entries.get(question['img_path'])
        if entry is None or entry['question'] != question or 'found' not in entry:
            return None
        stamps = stamps_of(question, source, out)
        if stamps is None or entry.get('stamps') != [list(stamp) for stamp in stamps]:
            return None
        return Inspection(entry['found'], None, stamps)

    def keep(self, question: Mapping[str, Any], inspection: Inspection) -> None:
        """Write down an inspection at once.

        Args:
            question (Mapping): What it depends on.
            inspection (Inspection): What was found. One with a problem is not kept.
        """
        if inspection.problem is not None or inspection.stamps is None:
            return
        entry = {
            'question': dict(question),
            'stamps': [list(stamp) for stamp in inspection.stamps],
            'found': inspection.found,
        }
        self._entries[question['img_path']] = entry
        self._file.write(_line(entry))
        # To the system, not to the disk: this outlives the end of the process.
        self._file.flush()

    def finish(self, questions: Iterable[Mapping[str, Any]]) -> None:
        """Forget images that the set has no more, and sort the rest.

        Args:
            questions (Iterable[Mapping]): The images of the set.
        """
        names = sorted(question['img_path'] for question in questions)
        self._file.close()
        self._rewrite({name: self._entries[name] for name in names if name in self._entries})

    def _load(self) -> dict[str, dict[str, Any]]:
        """Read the file, as far as it is whole and of use."""
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError:
            return {}
        if not lines or _parsed(lines[0]) != self._heading:
            return {}
        entries = {}
        for line in lines[1:]:
            entry = _parsed(line)
            if entry is not None and isinstance(entry.get('question'), dict):
                entries[str(entry['question'].get('img_path'))] = entry
        return entries

    def _rewrite(self, entries: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the whole file."""
        with whole_file(self._path) as unfinished:
            lines = [_line(self._heading), *map(_line, entries.values())]
            unfinished.write_text(''.join(lines), encoding='ascii')


def _line(entry: Mapping[str, Any]) -> str:
    """Write an entry."""
    return json.dumps(entry, sort_keys=True) + '\n'


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Read an entry; None if the line is cut off or something else."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None

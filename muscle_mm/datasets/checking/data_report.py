# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The result of a check."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muscle_mm.datasets.checking.film import Film
from muscle_mm.datasets.checking.finding import KINDS, Finding
from muscle_mm.datasets.checking.prepared_sets import PreparedSet
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.whole_file import whole_file

REPORT_VERSION = 1
_EXAMPLES = 3


@dataclass(frozen=True, eq=False)
class DataReport:
    """What a check found; ``str()`` is the report for the user.

    Attributes:
        sets (Sequence[PreparedSet]): The sets checked.
        findings (Sequence[Finding]): What was found, sorted.
        excluded (Sequence[dict[str, str]]): Of each set, the images left out, with the reason.
        fixed (bool): Whether the findings have just been put right by leaving images out.
        excluded_before (Sequence[dict[str, str]]): What the lists held before that.
    """

    sets: Sequence[PreparedSet]
    findings: Sequence[Finding]
    excluded: Sequence[dict[str, str]]
    fixed: bool = False
    excluded_before: Sequence[dict[str, str]] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing would make results wrong."""
        return self.fixed or not any(finding.serious for finding in self.findings)

    @property
    def counts(self) -> dict[str, int]:
        """Number of findings of each kind that was found."""
        counts = Counter(finding.kind for finding in self.findings)
        return {kind: counts[kind] for kind in KINDS if counts[kind]}

    def write(self, path: Path) -> None:
        """Write everything as JSON.

        Args:
            path (Path): The file; its folder is made if missing.

        Raises:
            UserError: If it cannot be written.
        """
        content = {
            'report_version': REPORT_VERSION,
            'clean': self.clean,
            'counts': self.counts,
            'sets': [
                {
                    'set': prepared.name,
                    'manifest': str(prepared.manifest),
                    'images': len(prepared.films),
                    'excluded': excluded,
                }
                for prepared, excluded in zip(self.sets, self.excluded, strict=True)
            ],
            'findings': [_as_json(finding) for finding in self.findings],
        }
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as unfinished:
                unfinished.write_text(json.dumps(content, indent=1, sort_keys=True) + '\n')
        except OSError as error:
            raise UserError(f'the report {path} cannot be written ({error.strerror}).') from error

    def __str__(self) -> str:
        lines = []
        for kind, count in self.counts.items():
            lines += self._lines_about(kind, count)
        if not self.findings:
            lines.append('nothing found')
        for number, prepared in enumerate(self.sets):
            lines.append(self._line_about(number, prepared))
        if not self.clean:
            lines.append(
                'NOT CLEAN. The same command with --fix writes exclusions.csv beside each manifest '
                'concerned; the data sets then leave these images out.'
            )
        return '\n'.join(lines)

    def _lines_about(self, kind: str, count: int) -> list[str]:
        """Describe a kind of finding with its first examples."""
        found = [finding for finding in self.findings if finding.kind == kind]
        serious = any(finding.serious for finding in found)
        what, to_do = KINDS[kind]
        lines = [f'{"ERROR" if serious else "warning"}: {count} {what} ({kind})']
        for finding in found[:_EXAMPLES]:
            lines.append(f'    {finding.reason}')
            lines += [f'        {film}' for film in finding.films[:_EXAMPLES]]
        if count > _EXAMPLES:
            lines.append(f'    ... and {count - _EXAMPLES} more')
        return [*lines, f'  -> {to_do}']

    def _line_about(self, number: int, prepared: PreparedSet) -> str:
        """Describe a set."""
        excluded = len(self.excluded[number])
        line = f'{prepared.name}: {len(prepared.films)} images, {excluded} left out'
        if self.fixed:
            back = len(self.excluded_before[number].keys() - self.excluded[number].keys())
            if excluded:
                line += f' by {prepared.exclusions}'
            if back:
                line += (
                    f'; {back} left out before are used again: check it together with every set '
                    'that it is used with, or their leaks come back'
                )
        return line


def _as_json(finding: Finding) -> dict[str, Any]:
    """Describe a finding for a program."""
    return {
        'kind': finding.kind,
        'serious': finding.serious,
        'reason': finding.reason,
        'films': [_film_as_json(film) for film in finding.films],
        'leave_out': [_film_as_json(film) for film in finding.leave_out],
    }


def _film_as_json(film: Film) -> dict[str, str]:
    """Describe a film for a program."""
    return {
        'set': film.set_name,
        'split': film.split,
        'img_path': film.img_path,
        'file': film.path,
        'manifest': film.manifest,
    }

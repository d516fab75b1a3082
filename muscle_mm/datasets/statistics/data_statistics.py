# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Statistics of all sets, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from muscle_mm.datasets.statistics.set_statistics import SetStatistics, Spread
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.whole_file import whole_file

_FILES_SHOWN = 20
_HEADING = ('', 'images', 'mean', 'std', 'width', 'height', 'width / height', 'bits')


@dataclass(frozen=True)
class DataStatistics:
    """Statistics of the training images of some sets; ``str()`` is the report for the user.

    Attributes:
        sets (tuple[SetStatistics, ...]): Each set that has training images.
        together (SetStatistics): All of them.
        without_training (tuple[str, ...]): Names of sets that have no training images.
    """

    sets: tuple[SetStatistics, ...]
    together: SetStatistics
    without_training: tuple[str, ...] = ()

    def write(self, path: Path) -> None:
        """Write everything as JSON.

        Args:
            path (Path): The file; its folder is made if missing.

        Raises:
            UserError: If it cannot be written.
        """
        content = {
            'sets': [one.as_dict() for one in self.sets],
            'together': self.together.as_dict(),
            'without_training': list(self.without_training),
        }
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as unfinished:
                unfinished.write_text(json.dumps(content, indent=1) + '\n', encoding='ascii')
        except OSError as error:
            raise UserError(f'the report {path} cannot be written ({error.strerror}).') from error

    def __str__(self) -> str:
        parts = [
            'Training images. Grey values: 0-255, each film counts equally. Sizes in pixels: '
            'minimum / median / maximum.',
            *_table([_HEADING, *map(_row, (*self.sets, self.together))]),
        ]
        balance = [line for one in self.sets for line in _balance(one)]
        if balance:
            parts += ['', 'Class balance', *balance]
        if self.without_training:
            parts += ['', f'Without training images: {", ".join(self.without_training)}']
        unreadable = self.together.unreadable
        if unreadable:
            parts += ['', f'Left out because they cannot be read: {len(unreadable)} files']
            parts += [f'  {reason}' for _, reason in unreadable[:_FILES_SHOWN]]
            if len(unreadable) > _FILES_SHOWN:
                parts.append(f'  and {len(unreadable) - _FILES_SHOWN} more (all: --report FILE)')
        return '\n'.join(parts)


def _row(one: SetStatistics) -> tuple[str, ...]:
    """Write a set as a row of the table."""
    if not one.images:
        return (one.name, '0', *['-'] * (len(_HEADING) - 2))
    bits = sorted(one.bits.items(), key=lambda item: (item[0] is None, item[0] or 0))
    return (
        one.name,
        f'{one.images:,}',
        f'{one.mean:.2f}',
        f'{one.std:.2f}',
        _spread(one.width, '.0f'),
        _spread(one.height, '.0f'),
        _spread(one.aspect_ratio, '.2f'),
        ', '.join(f'{depth or "unknown"} ({count:,})' for depth, count in bits),
    )


def _spread(spread: Spread, form: str) -> str:
    """Write three numbers."""
    return ' / '.join(format(value, form) for value in spread)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align columns: the first and the last to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    last = len(widths) - 1
    return [
        '  '.join(
            cell.ljust(width) if place in (0, last) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _balance(one: SetStatistics) -> Iterator[str]:
    """Write the classes of a set."""
    if one.object_share is not None:
        yield f'  {one.name}: {one.classes[-1]} {_percent(one.object_share)} of the pixels'
    total = one.class_counts.total()
    if total:
        unit = ' boxes' if one.counts_boxes else ''
        yield f'  {one.name}: ' + ', '.join(
            f'{name} {one.class_counts[name]:,}{unit} ({_percent(one.class_counts[name] / total)})'
            for name in one.classes
        )


def _percent(share: float) -> str:
    """Write a share."""
    return f'{100 * share:.1f}%'

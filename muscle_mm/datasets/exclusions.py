# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The list of images to leave out: what ``tools/check_data.py --fix`` writes beside a manifest.

A CSV file in UTF-8 with the columns ``img_path`` (as in the manifest) and ``reason``, sorted, so
that equal findings give equal bytes.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from pathlib import Path

from muscle_mm.utils.errors import UserError
from muscle_mm.utils.whole_file import whole_file

EXCLUSIONS_NAME = 'exclusions.csv'
_COLUMNS = ['img_path', 'reason']
_HINT = 'Write the list again: python tools/check_data.py DATA_ROOT --fix'


def write_exclusions(path: Path, reasons: Mapping[str, str]) -> None:
    """Write the list, or take an old one away where there is nothing to leave out.

    Args:
        path (Path): The file beside the manifest. An interruption leaves the old one in place.
        reasons (Mapping[str, str]): ``img_path`` and the reason against it.

    Raises:
        UserError: If the file cannot be written.
    """
    try:
        if not reasons:
            path.unlink(missing_ok=True)
            return
        with (
            whole_file(path) as unfinished,
            open(unfinished, 'w', newline='', encoding='utf-8', errors='surrogateescape') as file,
        ):
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(_COLUMNS)
            writer.writerows(sorted(reasons.items()))
    except OSError as error:
        raise UserError(f'the exclusions {path} cannot be written ({error.strerror}).') from error


def read_exclusions(path: Path, known: Collection[str]) -> dict[str, str]:
    """Read the list.

    Args:
        path (Path): The file beside the manifest.
        known (Collection[str]): Every ``img_path`` of the manifest.

    Returns:
        dict[str, str]: ``img_path`` and the reason against it; empty without such a file.

    Raises:
        UserError: If the file is malformed or names an image that is not in the manifest.
    """
    reasons: dict[str, str] = {}
    line = 1
    try:
        with open(path, newline='', encoding='utf-8', errors='surrogateescape') as file:
            reader = csv.reader(file)
            heading = next(reader, None)
            if heading != _COLUMNS:
                raise UserError(
                    f'{path}, line 1: expected the heading img_path,reason, got {heading}. {_HINT}'
                )
            for row in reader:
                line = reader.line_num
                if len(row) != 2:
                    raise UserError(
                        f'{path}, line {line}: expected two columns (img_path, reason), got '
                        f'{len(row)}. {_HINT}'
                    )
                if row[0] not in known:
                    raise UserError(
                        f'{path}, line {line}: the image {row[0]!r} is not in the manifest beside '
                        f'it, which is newer or another. {_HINT}'
                    )
                reasons[row[0]] = row[1]
    except FileNotFoundError:
        return {}
    except (OSError, csv.Error) as error:
        raise UserError(f'{path}, after line {line}: cannot be read ({error}). {_HINT}') from error
    return reasons

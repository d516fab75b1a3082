# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What of a tool's output is worth showing."""

import re

#: ``11/23 23:22:42 - mmengine - INFO - `` before each line of the toolboxes' log.
_LOG_PREFIX = re.compile(r'^\d\d/\d\d \d\d:\d\d:\d\d - \S+ - ([A-Z]+) - ')
_PROGRESS = re.compile(r'(Epoch|Iter)\((train|val|test)\)|^(visit \d|schedule|backbone: )')
_ERROR = re.compile(r'^(?:[\w.]+\.)?(\w*(?:Error|Exception)): (.*)')


def progress_of(line: str) -> str | None:
    """Reduce a line of a toolbox's log to the progress that it reports.

    Args:
        line (str): The line.

    Returns:
        str | None: The line without its time stamp; None if it reports no progress.
    """
    text = _LOG_PREFIX.sub('', line.rstrip())
    return text if _PROGRESS.search(text) else None


def error_in(log: str) -> str | None:
    """Find the error with which a tool ended.

    Args:
        log (str): The tool's whole output.

    Returns:
        str | None: The message of the last error; None if there is none.
    """
    for line in reversed(log.splitlines()):
        found = _ERROR.match(line)
        if found:
            return found[2] if found[1] in ('UserError', 'Error') else f'{found[1]}: {found[2]}'
    return None


def duration(seconds: float) -> str:
    """Write a duration.

    Args:
        seconds (float): The duration.

    Returns:
        str: For example ``'4:05'`` or ``'1:04:05'``.
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours}:{minutes:02d}:{rest:02d}' if hours else f'{minutes}:{rest:02d}'

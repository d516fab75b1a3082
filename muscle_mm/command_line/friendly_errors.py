# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""One clear message in place of a stack of frames, for errors that a user can put right."""

import io
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import muscle_mm
from muscle_mm.utils.errors import DEBUG_VARIABLE, UserError, print_error

_PACKAGE = str(Path(muscle_mm.__file__).resolve().parent)


def run_command(main: Callable[[], None]) -> NoReturn:
    """Run a tool and leave with its exit code.

    Args:
        main (Callable[[], None]): The tool.

    Raises:
        SystemExit: Always: 0 after success, 1 after an error, 130 after Ctrl-C.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files can hold bytes that are no text.
        sys.stdout.reconfigure(errors='backslashreplace')
    try:
        main()
    except KeyboardInterrupt:
        print('\nInterrupted.', file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        message = explain(error)
        if message is None or os.environ.get(DEBUG_VARIABLE) == '1':
            raise
        print_error(message)
        sys.exit(1)
    sys.exit(0)


def explain(error: BaseException) -> str | None:
    """Find the message for the user in an error.

    Args:
        error (BaseException): What a tool raised.

    Returns:
        str | None: The message; None if the error is none of the known kinds, that is, a defect.
    """
    chain = list(_chain(error))
    for link in reversed(chain):
        if isinstance(link, UserError):
            return str(link)
    for link in chain:
        text = str(link.args[0]) if link.args else str(link)
        if isinstance(link, (FileNotFoundError, NotADirectoryError, PermissionError)):
            return str(link)
        if isinstance(link, KeyError) and ' registry. ' in text:
            # mmengine continues with a link to its own manual.
            return (
                f'{text.split(" registry. ")[0]} registry. Check the name (type=) in the config, '
                'and that custom_imports names the package it is from.'
            )
        if isinstance(link, TypeError) and 'unexpected keyword argument' in text:
            return f'{text}. Check this key in the config and in --cfg-options.'
        if isinstance(link, ValueError) and _raised_in_package(link):
            return text
        if isinstance(link, ImportError) and _raised_in_package(link):
            return text
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Walk from an error to what caused it.

    Args:
        error (BaseException, optional): Where to begin.

    Yields:
        BaseException: The error, its cause, the cause of that.
    """
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _raised_in_package(error: BaseException) -> bool:
    """Whether an error was raised by a line of muscle_mm itself.

    Args:
        error (BaseException): The error.

    Returns:
        bool: True if its innermost frame is in this package.
    """
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and str(Path(frames[-1].filename).resolve()).startswith(_PACKAGE)

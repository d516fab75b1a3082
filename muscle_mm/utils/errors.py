# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The error that is meant for users."""

import os
import sys
from types import TracebackType

#: Set this environment variable to 1 to see the whole stack.
DEBUG_VARIABLE = 'MUSCLE_MM_DEBUG'


class UserError(RuntimeError):
    """Something that the user can put right: a path, a config key, a missing package.

    The message says what is wrong, where, and what to do. It is shown alone, without a stack of
    unrelated frames, unless ``MUSCLE_MM_DEBUG=1``.
    """

    def __str__(self) -> str:
        text = super().__str__()
        # torch passes the error of a data loader's worker on as its whole stack in one message.
        if ' in DataLoader worker process ' in text and os.environ.get(DEBUG_VARIABLE) != '1':
            kind = f'{type(self).__module__}.{type(self).__qualname__}: '
            text = text.rpartition(kind)[2].rstrip()
        return text


def print_error(message: str) -> None:
    """Print a message for the user, which process it is from, and how to see the whole stack.

    Args:
        message (str): What is wrong, where, and what to do.
    """
    rank = os.environ.get('RANK', '0')
    where = f' (process {rank})' if rank != '0' else ''
    print(f'Error{where}: {message}', file=sys.stderr)
    print(f'({DEBUG_VARIABLE}=1 shows where it was raised.)', file=sys.stderr)


def show_user_errors_alone() -> None:
    """Let an uncaught :class:`UserError` end any program with its message alone.

    A toolbox's own tool, too, then shows no stack of unrelated frames. Other exceptions go where
    they went before.
    """
    previous = sys.excepthook

    def show(kind: type[BaseException], error: BaseException, stack: TracebackType | None) -> None:
        if isinstance(error, UserError) and os.environ.get(DEBUG_VARIABLE) != '1':
            print_error(str(error))
        else:
            previous(kind, error, stack)

    sys.excepthook = show

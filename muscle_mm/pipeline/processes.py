# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Commands that do not outlive the pipeline that has started them."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable

#: ``prctl`` in Linux: the signal that a process gets when the one that has started it ends.
_SET_PARENT_DEATH_SIGNAL = 1


def end_with_parent() -> Callable[[], None] | None:
    """Give a function that ties a new process to this one, however this one ends.

    Returns:
        Callable[[], None] | None: For ``subprocess.Popen(preexec_fn=...)``; None where the system
        has no such thing (all but Linux).
    """
    if not sys.platform.startswith('linux'):
        return None
    # Looked up here: after the fork as little as possible may happen.
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def tie() -> None:
        prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != parent:  # it has ended in between
            os._exit(1)

    return tie


def signal_group(process: 'subprocess.Popen[str]', number: int) -> None:
    """Send a signal to a command and all that it has started.

    Args:
        process (subprocess.Popen): Started with ``start_new_session=True``.
        number (int): The signal.
    """
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)

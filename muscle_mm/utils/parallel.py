# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Work on many files with all processors, in order, whatever a single file does to its process."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import parent_process
from multiprocessing.connection import wait
from typing import TypeVar

from muscle_mm.utils.errors import UserError
from muscle_mm.utils.processors import available_processors

Item = TypeVar('Item')
Result = TypeVar('Result')

#: What to say of a file that ended the process which read it.
LOST_REASON = 'reading it ends the process: it is damaged, or needs more memory than there is'
#: Items handed to a process at once: few, so that a progress bar moves and an interruption is not
#: kept waiting.
_BATCH = 4
#: Batches that wait in front of each process, so that none stands still.
_BATCHES_AHEAD = 3


def worker_count(workers: int | None) -> int:
    """Say how many processes to use.

    Args:
        workers (int, optional): What the user asked for. None: one a processor.

    Returns:
        int: At least 1.

    Raises:
        UserError: If fewer than one was asked for.
    """
    if workers is None:
        return available_processors()
    if workers < 1:
        raise UserError(f'workers={workers} must be at least 1.')
    return workers


def map_files(
    function: Callable[[Item], Result],
    files: Sequence[Item],
    workers: int,
    lost: Callable[[Item], Result],
) -> Iterator[Result]:
    """Apply a function to every file, always in other processes: one file alone may end its own.

    Args:
        function (Callable): As of ``ordered_map``, like the other arguments.
        files (Sequence): What to work on.
        workers (int): Most processes; no more are started than there are files for.
        lost (Callable): Gives the result for a file that ended its process.

    Returns:
        Iterator[Result]: The results, in the order of the files.
    """
    batches = -(-len(files) // _BATCH)
    return ordered_map(function, files, max(1, min(workers, batches)), lost)


def ordered_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int,
    lost: Callable[[Item], Result],
) -> Iterator[Result]:
    """Apply a function to every item in other processes; the results keep the order.

    A damaged file can crash a decoder, and a huge one can use up the memory, so that the system
    kills the process. The items that were under way are then tried again, each alone in a process
    of its own: only the one that ends this process, too, is lost, and the work goes on.

    Args:
        function (Callable): Picklable, like the items and its results.
        items (Iterable): What to work on.
        workers (int): Processes, at least 1.
        lost (Callable): Gives the result for an item that ended its process.

    Yields:
        Result: The next result. An exception of the function is raised here.
    """
    batches = _batches(iter(items))
    unfinished = True
    while unfinished:
        executor = ProcessPoolExecutor(workers, initializer=_begin)
        running: deque[tuple[list[Item], Future[list[Result]] | None]] = deque()
        broken = False
        try:
            while not broken:
                for batch in islice(batches, _BATCHES_AHEAD * workers - len(running)):
                    running.append((batch, _submit(executor, function, batch)))
                if not running:
                    unfinished = False
                    break
                results = _result(running[0][1])
                if results is None:
                    broken = True
                else:
                    running.popleft()
                    yield from results
        finally:
            executor.shutdown(cancel_futures=True)
        for batch, future in running:
            results = _result(future)
            if results is None:
                results = [_alone(function, item, lost) for item in batch]
            yield from results


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    """Cut the items into batches."""
    while batch := list(islice(items, _BATCH)):
        yield batch


def _submit(
    executor: ProcessPoolExecutor, function: Callable[[Item], Result], batch: list[Item]
) -> Future[list[Result]] | None:
    """Hand a batch to the processes; None if one of them has just died."""
    try:
        return executor.submit(_work, function, batch)
    except BrokenProcessPool:
        return None


def _result(future: Future[list[Result]] | None) -> list[Result] | None:
    """Wait for the results of a batch; None if a process died before they were there."""
    try:
        return None if future is None else future.result()
    except (BrokenProcessPool, CancelledError):
        return None


def _alone(
    function: Callable[[Item], Result], item: Item, lost: Callable[[Item], Result]
) -> Result:
    """Work on one item in a process of its own."""
    with ProcessPoolExecutor(1, initializer=_begin) as executor:
        try:
            return executor.submit(function, item).result()
        except BrokenProcessPool:
            _check_start()
            return lost(item)


def _check_start() -> None:
    """Start a process that does nothing: else files were blamed for what is no fault of theirs."""
    with ProcessPoolExecutor(1, initializer=_begin) as executor:
        try:
            executor.submit(int).result()
        except BrokenProcessPool as error:
            raise UserError(
                'no process can be started to read files in. In a script of your own, call this '
                "below `if __name__ == '__main__':`; otherwise free some memory."
            ) from error


def _work(function: Callable[[Item], Result], batch: list[Item]) -> list[Result]:
    """Work on a batch."""
    return [function(item) for item in batch]


def _begin() -> None:
    """Prepare a process: Ctrl-C is the parent's to handle, and nobody outlives the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    # There is a process a processor already. And where torch was at work before a fork, its threads
    # are missing here: to share work with them would mean to wait for ever.
    if 'torch' in sys.modules:
        sys.modules['torch'].set_num_threads(1)
    try:
        import cv2
    except ImportError:
        return
    cv2.setNumThreads(0)


def _end_with(sentinel: int) -> None:
    """End this process as soon as its parent has been killed; without, it would wait for ever."""
    wait([sentinel])
    os._exit(1)

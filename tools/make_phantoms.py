# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Writes phantom radiographs of the nine sets, in their published layouts."""

import argparse
import sys
import time
from pathlib import Path

from muscle_mm.phantoms import write_contact_sheet, write_phantoms
from muscle_mm.phantoms.layouts import LAYOUTS
from muscle_mm.utils.errors import UserError


class Progress:
    """Prints how many films of a set are done, how fast, and how long it will take."""

    def __init__(self) -> None:
        self.current = ''
        self.started = self.printed = 0.0

    def __call__(self, name: str, done: int, total: int) -> None:
        """Take note of a film.

        Args:
            name (str): The set.
            done (int): Films done.
            total (int): Films in all.
        """
        now = time.monotonic()
        if name != self.current:
            self.current, self.started, self.printed = name, now, now
        if done < total and now - self.printed < 1:
            return
        self.printed = now
        rate = done / max(now - self.started, 1e-3)
        left = (total - done) / rate
        live = sys.stdout.isatty()
        end = '\r' if live and done < total else '\n'
        text = f'{name:>15}: {done:5d}/{total} films, {rate:6.1f} films/s, {left:4.0f} s left'
        print(text, end=end, flush=True)


def parse_args() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The options.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', type=Path, help='folder that gets one folder a set')
    parser.add_argument('--seed', type=int, default=0, help='default: 0')
    parser.add_argument('--size', type=int, default=256, help='shorter side (default: 256)')
    parser.add_argument('--scale', type=float, default=1.0, help='factor on the number of films')
    parser.add_argument('--sets', nargs='+', metavar='SET', help=f'of {", ".join(LAYOUTS)}')
    parser.add_argument('--workers', type=int, help='processes (default: one a processor)')
    parser.add_argument('--contact-sheet', type=Path, metavar='FILE', help='picture of examples')
    return parser.parse_args()


def main() -> int:
    """Write the phantoms.

    Returns:
        int: The exit status.
    """
    args = parse_args()
    started = time.monotonic()
    try:
        folders = write_phantoms(
            args.out,
            scale=args.scale,
            size=args.size,
            seed=args.seed,
            workers=args.workers,
            sets=args.sets,
            report=Progress(),
        )
        if args.contact_sheet:
            write_contact_sheet(args.out, args.contact_sheet)
    except UserError as error:
        print(f'make_phantoms: {error}', file=sys.stderr)
        return 1
    print(f'{len(folders)} sets of phantoms under {args.out} ({time.monotonic() - started:.0f} s)')
    return 0


if __name__ == '__main__':
    sys.exit(main())

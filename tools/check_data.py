# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Check prepared sets for leaks between train, val and test, and for data that do not fit.

python tools/check_data.py data                      # every set in data/, against each other
python tools/check_data.py data --fix                # leave out what would make results wrong
python tools/check_data.py data/mura data/pneumonia --report report.json

Exit status: 0 clean (there may be warnings), 1 something would leak or does not fit, or the check
could not be done, 2 wrong usage.
"""

import argparse
import sys
from pathlib import Path

from muscle_mm.command_line.friendly_errors import run_command


def parse_args() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The options.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'roots',
        nargs='+',
        type=Path,
        metavar='DATA_ROOT',
        help='prepared folder, or a folder that holds several; check sets together that are used '
        'together',
    )
    parser.add_argument(
        '--fix', action='store_true', help='write exclusions.csv beside each manifest concerned'
    )
    parser.add_argument('--report', type=Path, metavar='FILE', help='write all findings as JSON')
    parser.add_argument(
        '--threshold',
        type=int,
        default=64,
        metavar='N',
        help='bits of 256 in which perceptual hashes of copies may differ (default: 64)',
    )
    parser.add_argument('--workers', type=int, metavar='N', help='processes (default: all cores)')
    args = parser.parse_args()
    if not 0 <= args.threshold < 128:
        parser.error('--threshold must lie between 0 and 127')
    if args.workers is not None and args.workers < 1:
        parser.error('--workers must be at least 1')
    return args


def main() -> None:
    """Run the command."""
    args = parse_args()
    from muscle_mm.datasets.checking import check_data

    report = check_data(args.roots, fix=args.fix, threshold=args.threshold, workers=args.workers)
    print(report)
    if args.report is not None:
        report.write(args.report)
    if not report.clean:
        sys.exit(1)


if __name__ == '__main__':
    run_command(main)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Measure the training images: mean, standard deviation, classes, sizes, bit depths.

python tools/compute_stats.py data                              # every set in data/, a table
python tools/compute_stats.py data --out configs/_base_/normalisation.py
python tools/compute_stats.py data/mura data/pneumonia --pictures pictures --report stats.json
"""

import argparse
from pathlib import Path

from muscle_mm.command_line.friendly_errors import run_command

_EPILOG = """\
Each film counts equally, whatever its size, because the models see all films at one size.
The configs read configs/_base_/normalisation.py: with --out there, all of them use what was
measured. Measure once, before step 1, over all sets: the steps share one backbone and must
normalise in the same way. Films named in exclusions.csv are left out, as in training.

exit status: 0 measured (unreadable files are listed and left out), 1 an error, 2 wrong usage.
"""


def parse_args() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The options.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'roots',
        nargs='+',
        type=Path,
        metavar='DATA_ROOT',
        help='prepared folder, or a folder that holds several',
    )
    parser.add_argument(
        '--out', type=Path, metavar='FILE.py', help='write mean and std as a config'
    )
    parser.add_argument(
        '--pictures',
        type=Path,
        metavar='DIR',
        help='write grey_values.png, sizes.png and classes.png',
    )
    parser.add_argument('--report', type=Path, metavar='FILE', help='write everything as JSON')
    parser.add_argument('--workers', type=int, metavar='N', help='processes (default: all cores)')
    return parser.parse_args()


def main() -> None:
    """Run the command."""
    args = parse_args()
    from muscle_mm.datasets.statistics import (
        check_fragment_path,
        compute_statistics,
        write_fragment,
    )
    from muscle_mm.reporting.data_pictures import draw_data
    from muscle_mm.utils.errors import UserError

    # What cannot be written is said before hours of reading.
    if args.out is not None:
        check_fragment_path(args.out)
    if args.pictures is not None and args.pictures.is_file():
        raise UserError(f'--pictures {args.pictures} is a file, expected a folder.')
    if args.report is not None and args.report.is_dir():
        raise UserError(f'--report {args.report} is a folder, expected a file.')
    statistics = compute_statistics(args.roots, workers=args.workers)
    print(statistics)
    if args.out is not None:
        write_fragment(args.out, statistics)
        print(f'\nconfig: {args.out}')
    if args.report is not None:
        statistics.write(args.report)
        print(f'\nreport: {args.report}')
    if args.pictures is not None:
        for path in draw_data(statistics, args.pictures):
            print(f'picture: {path}')


if __name__ == '__main__':
    run_command(main)

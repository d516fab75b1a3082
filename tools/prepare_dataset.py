# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Prepare a data set: published layout in, manifest out.

python tools/prepare_dataset.py --list
python tools/prepare_dataset.py PneumoniaCXR --src ~/downloads/kermany --out data/pneumonia
python tools/prepare_dataset.py XrayFolder --src ~/films --out data/own
"""

import argparse
import sys

from muscle_mm.utils.errors import UserError


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Prepare a data set: read it as published, write manifest.json.'
    )
    parser.add_argument('name', nargs='?', metavar='NAME', help='the data set; see --list')
    parser.add_argument('--src', metavar='DIR', help='folder of the unpacked set, only read')
    parser.add_argument('--out', metavar='DIR', help='folder for the manifest')
    parser.add_argument('--seed', type=int, default=0, help='of the split by patient (default: 0)')
    parser.add_argument(
        '--official-split',
        action=argparse.BooleanOptionalAction,
        help='keep the split of the source instead of 80/10/10 by patient (default: only for the '
        'folder layouts)',
    )
    parser.add_argument('--workers', type=int, metavar='N', help='processes (default: all cores)')
    parser.add_argument('--set-name', metavar='TEXT', help='name of the set in every sample')
    own = parser.add_argument_group('folder layouts only')
    own.add_argument('--classes', nargs='+', metavar='CLASS', help='class names in order')
    own.add_argument(
        '--patient-pattern',
        metavar='REGEX',
        help=r"patient in the file name, for example '^(\d+)' "
        '(default: DICOM header, or the whole name)',
    )
    own.add_argument(
        '--inverted', metavar='GLOB', help='names of files that store bone dark (XrayFolder)'
    )
    parser.add_argument('--list', action='store_true', help='show the data sets and leave')
    args = parser.parse_args()
    if not args.list and not (args.name and args.src and args.out):
        parser.error('NAME, --src and --out are needed (or --list)')
    return args


def list_sets() -> None:
    """Print the data sets with body part, task and licence."""
    from muscle_mm.datasets.catalogue import FOLDER_SETS, PUBLIC_SETS

    print(f'{"name":16}{"images":>8}  {"task":16}{"licence":46}body part')
    for name, cls in PUBLIC_SETS.items():
        info = cls.METAINFO
        print(
            f'{name:16}{info["published_images"]:8}  {info["task"]:16}{info["licence"]:46}'
            f'{info["body_part"]}'
        )
    print('\nfor your own images:')
    for name, cls in FOLDER_SETS.items():
        print(f'{name:16}{(cls.__doc__ or "").splitlines()[0]}')


def main() -> int:
    """Run the command.

    Returns:
        int: Exit status, 1 after an error that the user can put right.
    """
    args = parse_args()
    try:
        if args.list:
            list_sets()
            return 0
        from muscle_mm.datasets.preparation import prepare

        print(
            prepare(
                args.name,
                args.src,
                args.out,
                seed=args.seed,
                official_split=args.official_split,
                workers=args.workers,
                set_name=args.set_name,
                classes=args.classes,
                patient_pattern=args.patient_pattern,
                inverted=args.inverted,
            )
        )
    except UserError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('interrupted; run the same command again', file=sys.stderr)
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())

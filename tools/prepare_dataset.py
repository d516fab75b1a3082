# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Prepare a data set: published layout in, manifest out.

python tools/prepare_dataset.py --list
python tools/prepare_dataset.py PneumoniaCXR --src ~/downloads/kermany --out data/pneumonia
python tools/prepare_dataset.py XrayFolder --src ~/films --out data/own
python tools/prepare_dataset.py DicomFolder --src ~/export --out data/own --labels labels.csv
python tools/prepare_dataset.py --out data/own --cache 512
"""

import argparse
import sys
from pathlib import Path

from muscle_mm.command_line.friendly_errors import run_command

_EPILOG = """\
written below --out; the source is never written to:
  manifest.json    one record an image, which the data sets read
  rejected.csv     path and reason of every film that is not used
  summary.txt      what is printed at the end: found against expected, by split and class, and for
                   the folder layouts how many files of other kinds there are
  masks/           segmentation only: the masks, joined, 0 and 255
  cache_SIZE.bin   with --cache: the films, decoded and shrunk, and cache_SIZE.json, where each is
  inspected.jsonl  what is known about each file: a preparation that was ended goes on from here,
                   and a second one reads only files that have changed

exit status: 0 prepared; 1 an error, or with --strict a rejected file; 2 wrong arguments;
130 interrupted. Run the same command again to go on.
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Prepare a data set: read it as published, write manifest.json.',
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
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
    parser.add_argument(
        '--split-file',
        metavar='CSV',
        help='your own split: columns patient_id,split or img_path,split, with train, val or test',
    )
    parser.add_argument(
        '--strict',
        action='store_true',
        help='fail, and write no manifest, if any file is rejected or a patient is in two splits',
    )
    parser.add_argument('--workers', type=int, metavar='N', help='processes (default: all cores)')
    parser.add_argument(
        '--cache',
        type=int,
        metavar='SIZE',
        help='also decode all films once and keep them beside the manifest, shrunk to a shorter '
        'side of SIZE pixels, for data sets with cache=SIZE (512 for views of 224 pixels); without '
        'NAME and --src: of the set prepared in --out',
    )
    parser.add_argument('--set-name', metavar='TEXT', help='name of the set in every sample')
    own = parser.add_argument_group('folder layouts only')
    own.add_argument('--classes', nargs='+', metavar='CLASS', help='class names in order')
    own.add_argument(
        '--patient-pattern',
        metavar='REGEX',
        help=r"patient in the file name, for example '^(\d+)'; with a / in it, in the path: "
        "'([^/]+)/[^/]+$' for one folder a patient (default: DICOM header, or the whole name)",
    )
    own.add_argument(
        '--labels',
        metavar='CSV',
        help='labels in place of class folders: columns patient_id,label or img_path,label '
        '(XrayFolder, DicomFolder)',
    )
    own.add_argument('--inverted', metavar='GLOB', help='names of films that store bone dark')
    own.add_argument(
        '--frame',
        type=int,
        metavar='N',
        help='frame to use, from 0, of films that hold several (default: such films are rejected)',
    )
    parser.add_argument('--list', action='store_true', help='show the data sets and leave')
    args = parser.parse_args()
    alone = args.cache is not None and not args.name and not args.src
    if not args.list and not (args.out and (alone or (args.name and args.src))):
        parser.error('NAME, --src and --out are needed (or --list, or --out and --cache)')
    if args.cache is not None and args.cache < 1:
        parser.error(f'--cache {args.cache}: the size must be at least 1 pixel')
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


def prepare_set(args: argparse.Namespace) -> None:
    """Prepare a set and print what was found.

    Args:
        args (argparse.Namespace): The command line.
    """
    from muscle_mm.datasets.preparation import prepare

    summary = prepare(
        args.name,
        args.src,
        args.out,
        seed=args.seed,
        official_split=args.official_split,
        split_file=args.split_file,
        strict=args.strict,
        workers=args.workers,
        set_name=args.set_name,
        classes=args.classes,
        patient_pattern=args.patient_pattern,
        labels=args.labels,
        inverted=args.inverted,
        frame=args.frame,
    )
    print(summary)


def build(args: argparse.Namespace) -> None:
    """Build the cache of a prepared set and print how large it is.

    Args:
        args (argparse.Namespace): The command line.
    """
    from muscle_mm.datasets.cache import build_cache
    from muscle_mm.datasets.manifest import MANIFEST_NAME

    print(build_cache(Path(args.out).expanduser() / MANIFEST_NAME, args.cache, args.workers))


def main() -> None:
    """Run the command."""
    args = parse_args()
    if args.list:
        list_sets()
        return
    try:
        if args.name:
            prepare_set(args)
        if args.cache is not None:
            build(args)
    except KeyboardInterrupt:
        print('\nWhat was read is kept: run the same command again to go on.', file=sys.stderr)
        raise


if __name__ == '__main__':
    run_command(main)

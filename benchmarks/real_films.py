# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Prepare real films for measuring: ``python benchmarks/real_films.py OUT FILMS``.

As ``muscle_mm.pipeline.prepare_data real`` does (which tells the layout of FILMS), with a larger
held-out part: 60/20/20 by patient, because scores on a few dozen films hardly tell two methods
apart. A patient is in the same split of every set. Films that are copies of held-out ones are
left out.
"""

import argparse
import re
from collections import Counter
from pathlib import Path
from typing import Any

from muscle_mm.command_line.friendly_errors import run_command
from muscle_mm.datasets.checking import check_data
from muscle_mm.datasets.manifest import MANIFEST_NAME, read_manifest, write_manifest
from muscle_mm.datasets.splits import patient_position
from muscle_mm.pipeline.prepare_data import prepare_real

VAL_FRACTION = TEST_FRACTION = 0.2

#: The patient in the names of these collections' files, the same in all sets: person940, IM-0039,
#: NORMAL2-IM-0027; of knee films the number before the side.
PATIENT = re.compile(r'person\d+|(?:NORMAL2-)?IM-\d+|^\d+(?=[LR]\.)')


def split_again(record: dict[str, Any]) -> dict[str, Any]:
    """Name a record's patient, and choose the split by the patient alone.

    Args:
        record (dict[str, Any]): Of a manifest.

    Returns:
        dict[str, Any]: The record with another ``patient_id`` and ``split``.
    """
    found = PATIENT.search(Path(record['img_path']).name)
    patient = found[0] if found else record['patient_id']
    position = patient_position(patient, seed=0)
    split = 'train'
    if position < TEST_FRACTION + VAL_FRACTION:
        split = 'test' if position < TEST_FRACTION else 'val'
    return {**record, 'patient_id': patient, 'split': split}


def main() -> None:
    """Prepare, split, and leave copies out."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('out', type=Path, help='data root')
    parser.add_argument('films', type=Path, help='folder of the real films')
    arguments = parser.parse_args()
    prepare_real(arguments.out, arguments.films)
    for path in sorted(arguments.out.glob(f'*/{MANIFEST_NAME}')):
        metainfo, records = read_manifest(path)
        if any(record['split'] != 'train' for record in records):
            records = [split_again(record) for record in records]
            write_manifest(path, metainfo, records)
        print(path.parent.name, dict(Counter(record['split'] for record in records)))
    print(check_data([arguments.out], fix=True))


if __name__ == '__main__':
    run_command(main)

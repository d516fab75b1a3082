# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Which films a study uses, and where they are."""

from dataclasses import dataclass
from pathlib import Path

from muscle_mm.datasets.manifest import MANIFEST_NAME
from muscle_mm.pipeline.prepare_data import DEMO_SETS, REAL_SETS
from muscle_mm.utils.errors import UserError

PHANTOMS = 'phantoms'


@dataclass(frozen=True)
class StudyData:
    """The films of a study.

    Attributes:
        name (str): ``'phantoms'``, or the folder that was named.
        root (Path): Folder of the prepared sets, one folder with a manifest each.
        nine_sets (bool): Whether these are the nine public sets, or phantoms of them; otherwise
            they are the sets of ``muscle_mm/pipeline/prepare_data.py``.
        preparation (tuple[str, ...]): Arguments of ``prepare_data``; none if the sets are prepared.
        phantoms (bool): Whether the films are drawn.
    """

    name: str
    root: Path
    nine_sets: bool
    preparation: tuple[str, ...] = ()
    phantoms: bool = False


def find_data(data: str, out: Path) -> StudyData:
    """Find out what ``--data`` names.

    Args:
        data (str): ``'phantoms'``, a folder of prepared sets, or a folder of real films in the
            layout of ``muscle_mm/pipeline/prepare_data.py``.
        out (Path): Folder of the study; what has to be prepared goes into ``data`` below it.

    Returns:
        StudyData: The films.

    Raises:
        UserError: If it is none of these; the message says what is missing.
    """
    out = out.absolute()
    if data == PHANTOMS:
        return StudyData(PHANTOMS, out / 'data', True, ('demo', str(out / 'data')), phantoms=True)
    folder = Path(data).expanduser().absolute()
    if not folder.is_dir():
        raise UserError(
            f'--data {data}: the folder does not exist. Name a folder of prepared sets, a folder '
            f'of real films, or {PHANTOMS!r}.'
        )
    if any(folder.glob(f'*/{MANIFEST_NAME}')):
        return _prepared(folder)
    missing = [name for name in REAL_SETS if not (folder / name).is_dir()]
    if missing:
        raise UserError(
            f'{folder} holds neither prepared sets (SET/{MANIFEST_NAME}, see '
            f'tools/prepare_dataset.py) nor real films in the layout of '
            f'muscle_mm/pipeline/prepare_data.py: {", ".join(missing)} missing.'
        )
    return StudyData(str(folder), out / 'data', False, ('real', str(out / 'data'), str(folder)))


def _prepared(folder: Path) -> StudyData:
    """Tell the nine public sets from the others."""
    wanted = {
        True: list(DEMO_SETS.values()),
        False: [name for name, _, _ in REAL_SETS.values()],
    }
    missing = {
        nine: [name for name in names if not (folder / name / MANIFEST_NAME).is_file()]
        for nine, names in wanted.items()
    }
    for nine, names in missing.items():
        if not names:
            return StudyData(str(folder), folder, nine)
    raise UserError(
        f'{folder} lacks prepared sets: of the nine {", ".join(missing[True])}. Prepare them with '
        f'tools/prepare_dataset.py. (Of the sets of muscle_mm/pipeline/prepare_data.py, which may '
        f'stand in for them, it lacks {", ".join(missing[False])}.)'
    )

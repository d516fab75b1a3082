# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Make the data of a pipeline.

``python -m muscle_mm.pipeline.prepare_data demo|real OUT [SOURCE]``: ``demo`` draws phantoms in the
published layouts of the nine sets; ``real`` reads a folder of real films::

    SOURCE/
    ├── pneumonia/chest_xray/{train,val,test}/{NORMAL,PNEUMONIA}/*.jpeg    the published layout
    ├── knee/{train,val,test}/{negative,positive}/*.png                    stands in for MURA
    ├── lung/{train,val,test}/{images,masks}/*                             lung masks
    ├── lung_boxes/{train,val,test}/{images/*,annotations.json}            stands in for TBX11K
    └── nih64/, dicom/, png16/                                             films without labels
"""

import argparse
import time
from pathlib import Path
from typing import Any

from muscle_mm.command_line.friendly_errors import run_command

#: phantoms: set -> folder of its manifest below the data root
DEMO_SETS = {
    'NIHCC': 'nihcc',
    'ChinaSetCXR': 'china_set_cxr',
    'MontgomeryCXR': 'montgomery_cxr',
    'IndianaCXR': 'indiana_cxr',
    'RSNABoneAge': 'rsna_bone_age',
    'PneumoniaCXR': 'pneumonia',
    'MURA': 'mura',
    'ChestXrayMasks': 'chest_xray_masks',
    'TBX': 'tbx',
}
#: real films: folder below SOURCE -> (folder below the data root, layout, options of ``prepare``).
#: The folders of SOURCE are split by patient already, so their split is kept.
REAL_SETS: dict[str, tuple[str, str, dict[str, Any]]] = {
    'pneumonia': ('pneumonia', 'PneumoniaCXR', {'official_split': True}),
    'knee': ('mura', 'XrayFolder', {'set_name': 'Knee', 'classes': ('negative', 'positive')}),
    'lung': (
        'chest_xray_masks',
        'XrayMaskFolder',
        {'set_name': 'Lung', 'classes': ('background', 'lung')},
    ),
    'lung_boxes': ('tbx', 'XrayBoxFolder', {'set_name': 'LungBoxes'}),
    'nih64': ('nih64', 'XrayFolder', {'set_name': 'NIH64'}),
    'dicom': ('dicom', 'DicomFolder', {'set_name': 'DICOM'}),
    'png16': ('png16', 'XrayFolder', {'set_name': 'PNG16', 'inverted': '*MONOCHROME1*'}),
}


def prepare_demo(out: Path) -> None:
    """Draw the phantoms and write the manifests of the nine sets.

    Args:
        out (Path): The data root; the phantoms go into ``phantoms`` below it.
    """
    from muscle_mm.datasets.preparation import prepare
    from muscle_mm.phantoms import write_phantoms

    shown = [0.0]

    def report(name: str, done: int, total: int) -> None:
        if done == total or time.monotonic() - shown[0] > 2:
            shown[0] = time.monotonic()
            print(f'{name}: {done} of {total} films drawn', flush=True)

    sources = write_phantoms(out / 'phantoms', report=report)
    for name, folder in DEMO_SETS.items():
        _show(prepare(name, sources[name], out / folder, progress=False), folder)


def prepare_real(out: Path, source: Path) -> None:
    """Write the manifests of the real films.

    Args:
        out (Path): The data root.
        source (Path): The films, which are left untouched.
    """
    from muscle_mm.datasets.preparation import prepare

    for name, (folder, layout, options) in REAL_SETS.items():
        _show(prepare(layout, source / name, out / folder, progress=False, **options), folder)


def _show(summary: Any, folder: str) -> None:
    """Print one line about a prepared set."""
    rejected = f', {summary.rejected} rejected' if summary.rejected else ''
    print(f'{folder}: {len(summary.records)} films{rejected}', flush=True)


def main() -> None:
    """Read the command line and prepare."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('pipeline', choices=['demo', 'real'])
    parser.add_argument('out', type=Path)
    parser.add_argument('source', type=Path, nargs='?')
    arguments = parser.parse_args()
    if arguments.pipeline == 'demo':
        prepare_demo(arguments.out)
    elif arguments.source is None:
        parser.error('real needs the folder of the films')
    else:
        prepare_real(arguments.out, arguments.source)


if __name__ == '__main__':
    run_command(main)

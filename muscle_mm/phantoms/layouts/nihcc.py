# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""ChestX-ray14 of the NIH Clinical Center."""

import csv
from pathlib import Path
from typing import Any

from muscle_mm.phantoms.chest import render_chest
from muscle_mm.phantoms.chest_build import ChestBuild
from muscle_mm.phantoms.finding import Finding
from muscle_mm.phantoms.layouts.layout import (
    FilmPlan,
    Layout,
    draw_shape,
    group_by_patient,
    save_film,
)

_FINDINGS: dict[str, tuple[Finding, ...]] = {
    'No Finding': (),
    'Infiltration': (Finding('infiltrate'),),
    'Consolidation': (Finding('consolidation'),),
    'Effusion': (Finding('effusion'),),
    'Nodule': (Finding('nodule'),),
    'Cardiomegaly': (),
    'Effusion|Infiltration': (Finding('effusion', side=1), Finding('infiltrate', side=-1)),
}
_CHANCES = (0.52, 0.14, 0.07, 0.09, 0.08, 0.06, 0.04)
# The comma inside the brackets is the publisher's.
_COLUMNS = [
    'Image Index',
    'Finding Labels',
    'Follow-up #',
    'Patient ID',
    'Patient Age',
    'Patient Gender',
    'View Position',
    'OriginalImage[Width',
    'Height]',
    'OriginalImagePixelSpacing[x',
    'y]',
]


class NIHCCLayout(Layout):
    """``images_NNN/images/PPPPPPPP_FFF.png``, ``Data_Entry_2017_v2020.csv`` and two lists."""

    name = 'NIHCC'
    folder = 'nihcc'
    default_count = 200

    def plan(self, count: int, seed: int) -> list[FilmPlan]:
        """See ``Layout.plan``."""
        rng = self.generator(seed)
        films: list[FilmPlan] = []
        for patient, number in enumerate(group_by_patient(count, rng, (0.5, 0.2, 0.2, 0.1)), 1):
            part = 'test' if patient % 5 == 0 else 'train_val'
            for image in range(number):
                label = str(rng.choice(list(_FINDINGS), p=_CHANCES))
                chunk = 1 if len(films) < count / 2 or image else 2
                if image:
                    chunk = int(films[-1].path[7:10])
                path = f'images_{chunk:03d}/images/{patient:08d}_{image:03d}.png'
                films.append(FilmPlan(path, patient, image, label, part=part))
        return films

    def write_film(self, root: Path, film: FilmPlan, size: int, seed: int) -> dict[str, Any]:
        """See ``Layout.write_film``."""
        heart = 1.35 if film.label == 'Cardiomegaly' else 1.0
        build = ChestBuild.draw(self.generator(seed, film.patient), heart)
        rng = self.generator(seed, film.patient, film.image)
        height, width = draw_shape(rng, size, (0.9, 1.1))
        drawn = render_chest(build, rng, height, width, _FINDINGS[film.label])
        save_film(root / film.path, drawn.pixels)
        return {'height': height, 'width': width}

    def write_tables(
        self, root: Path, films: list[FilmPlan], facts: list[dict[str, Any]], seed: int
    ) -> None:
        """See ``Layout.write_tables``."""
        with (root / 'Data_Entry_2017_v2020.csv').open('w', newline='') as stream:
            table = csv.writer(stream)
            table.writerow(_COLUMNS)
            for film, fact in zip(films, facts, strict=True):
                rng = self.generator(seed, film.patient)
                age, sex = int(rng.integers(5, 90)), str(rng.choice(['M', 'F']))
                name = Path(film.path).name
                view = 'PA' if (film.patient + film.image) % 3 else 'AP'
                size = fact['width'], fact['height']
                row = [name, film.label, film.image, film.patient, age + film.image, sex, view]
                table.writerow([*row, *size, 0.143, 0.143])
        for part in ('train_val', 'test'):
            names = [Path(film.path).name for film in films if film.part == part]
            (root / f'{part}_list.txt').write_text(''.join(f'{name}\n' for name in names))

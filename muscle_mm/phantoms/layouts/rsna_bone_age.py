# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The bone age challenge of the RSNA."""

import csv
from pathlib import Path
from typing import Any

from muscle_mm.phantoms.layouts.layout import FilmPlan, Layout, draw_shape, save_film
from muscle_mm.phantoms.limb_build import LimbBuild
from muscle_mm.phantoms.limb_film import render_limb

_FIRST = 1377
_GROWN = 216


class RSNABoneAgeLayout(Layout):
    """``boneage-training-dataset/NNNN.png`` and ``boneage-training-dataset.csv``."""

    name = 'RSNABoneAge'
    folder = 'rsna_bone_age'
    default_count = 80

    def plan(self, count: int, seed: int) -> list[FilmPlan]:
        """See ``Layout.plan``."""
        rng = self.generator(seed)
        films = []
        for patient in range(_FIRST, _FIRST + count):
            months = str(int(rng.triangular(12, 156, 228)))
            path = f'boneage-training-dataset/{patient}.png'
            films.append(FilmPlan(path, patient, 0, months, 'HAND'))
        return films

    def write_film(self, root: Path, film: FilmPlan, size: int, seed: int) -> dict[str, Any]:
        """See ``Layout.write_film``."""
        maturity = min(1.0, int(film.label) / _GROWN)
        build = LimbBuild.draw(self.generator(seed, film.patient), maturity)
        rng = self.generator(seed, film.patient, film.image)
        height, width = draw_shape(rng, size, (0.68, 0.9))
        save_film(root / film.path, render_limb(film.view, build, rng, height, width))
        return {}

    def write_tables(
        self, root: Path, films: list[FilmPlan], facts: list[dict[str, Any]], seed: int
    ) -> None:
        """See ``Layout.write_tables``."""
        with (root / 'boneage-training-dataset.csv').open('w', newline='') as stream:
            table = csv.writer(stream)
            table.writerow(['id', 'boneage', 'male'])
            for film in films:
                male = bool(self.generator(seed, film.patient).integers(2))
                table.writerow([film.patient, film.label, male])

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The Montgomery County set of the National Library of Medicine."""

from pathlib import Path
from typing import Any

from muscle_mm.phantoms.layouts.layout import FilmPlan, Layout, save_film, save_mask
from muscle_mm.phantoms.layouts.tuberculosis import render_screening, write_reading


class MontgomeryCXRLayout(Layout):
    """``MontgomerySet/CXR_png/MCUCXR_NNNN_T.png`` with a mask for each lung, and readings."""

    name = 'MontgomeryCXR'
    folder = 'montgomery_cxr'
    default_count = 30

    def plan(self, count: int, seed: int) -> list[FilmPlan]:
        """See ``Layout.plan``."""
        films = []
        for patient in range(1, count + 1):
            sick = patient > round(count * 0.58)
            path = f'MontgomerySet/CXR_png/MCUCXR_{patient:04d}_{int(sick)}.png'
            films.append(FilmPlan(path, patient, 0, 'tuberculosis' if sick else 'normal'))
        return films

    def write_film(self, root: Path, film: FilmPlan, size: int, seed: int) -> dict[str, Any]:
        """See ``Layout.write_film``."""
        rng = self.generator(seed, film.patient, film.image)
        patient_rng = self.generator(seed, film.patient)
        drawn = render_screening(patient_rng, rng, size, film.label != 'normal', (1.15, 1.25))
        # The published films hold 12 bits in 16.
        save_film(root / film.path, drawn.pixels, bits=12)
        masks = root / 'MontgomerySet/ManualMask'
        save_mask(masks / 'leftMask' / Path(film.path).name, drawn.left_lung)
        save_mask(masks / 'rightMask' / Path(film.path).name, drawn.right_lung)
        return {}

    def write_tables(
        self, root: Path, films: list[FilmPlan], facts: list[dict[str, Any]], seed: int
    ) -> None:
        """See ``Layout.write_tables``."""
        readings = root / 'MontgomerySet/ClinicalReadings'
        readings.mkdir(parents=True, exist_ok=True)
        for film in films:
            rng = self.generator(seed, film.patient)
            text = write_reading(rng, film.label != 'normal', 'montgomery')
            (readings / f'{Path(film.path).stem}.txt').write_text(text)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The Shenzhen set of the National Library of Medicine."""

from pathlib import Path
from typing import Any

from muscle_mm.phantoms.layouts.layout import FilmPlan, Layout, save_film
from muscle_mm.phantoms.layouts.tuberculosis import render_screening, write_reading


class ChinaSetCXRLayout(Layout):
    """``ChinaSet_AllFiles/CXR_png/CHNCXR_NNNN_T.png`` with readings; T is 1 for tuberculosis."""

    name = 'ChinaSetCXR'
    folder = 'china_set_cxr'
    default_count = 40

    def plan(self, count: int, seed: int) -> list[FilmPlan]:
        """See ``Layout.plan``."""
        films = []
        for patient in range(1, count + 1):
            sick = patient > count // 2
            path = f'ChinaSet_AllFiles/CXR_png/CHNCXR_{patient:04d}_{int(sick)}.png'
            films.append(FilmPlan(path, patient, 0, 'tuberculosis' if sick else 'normal'))
        return films

    def write_film(self, root: Path, film: FilmPlan, size: int, seed: int) -> dict[str, Any]:
        """See ``Layout.write_film``."""
        rng = self.generator(seed, film.patient, film.image)
        patient_rng = self.generator(seed, film.patient)
        drawn = render_screening(patient_rng, rng, size, film.label != 'normal', (0.92, 1.08))
        save_film(root / film.path, drawn.pixels, bits=16 if film.patient % 2 else 8)
        return {}

    def write_tables(
        self, root: Path, films: list[FilmPlan], facts: list[dict[str, Any]], seed: int
    ) -> None:
        """See ``Layout.write_tables``."""
        readings = root / 'ChinaSet_AllFiles/ClinicalReadings'
        readings.mkdir(parents=True, exist_ok=True)
        for film in films:
            rng = self.generator(seed, film.patient)
            text = write_reading(rng, film.label != 'normal', 'china')
            (readings / f'{Path(film.path).stem}.txt').write_text(text)

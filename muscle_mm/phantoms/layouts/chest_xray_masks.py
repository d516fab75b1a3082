# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Kaggle's "Chest Xray Masks and Labels"."""

from pathlib import Path
from typing import Any

from muscle_mm.phantoms.layouts.layout import FilmPlan, Layout, save_film, save_mask
from muscle_mm.phantoms.layouts.tuberculosis import render_screening, write_reading


class ChestXrayMasksLayout(Layout):
    """``Lung Segmentation/{CXR_png,masks,ClinicalReadings}``: films of two sets in one folder.

    Like the published set, which has masks for 704 of its 800 films, it has some without.
    """

    name = 'ChestXrayMasks'
    folder = 'chest_xray_masks'
    default_count = 160

    def plan(self, count: int, seed: int) -> list[FilmPlan]:
        """See ``Layout.plan``."""
        films = []
        montgomery = max(1, round(count * 0.17))
        for patient in range(1, count + 1):
            source = 'MCUCXR' if patient <= montgomery else 'CHNCXR'
            sick = patient % 2 == 0
            label = 'tuberculosis' if sick else 'normal'
            path = f'Lung Segmentation/CXR_png/{source}_{patient:04d}_{int(sick)}.png'
            part = 'unmasked' if source == 'CHNCXR' and patient % 12 == 0 else ''
            films.append(FilmPlan(path, patient, 0, label, source, part))
        return films

    def write_film(self, root: Path, film: FilmPlan, size: int, seed: int) -> dict[str, Any]:
        """See ``Layout.write_film``."""
        rng = self.generator(seed, film.patient, film.image)
        aspect = (1.1, 1.25) if film.view == 'MCUCXR' else (0.9, 1.1)
        patient_rng = self.generator(seed, film.patient)
        drawn = render_screening(patient_rng, rng, size, film.label != 'normal', aspect)
        save_film(root / film.path, drawn.pixels)
        if film.part != 'unmasked':
            suffix = '_mask' if film.view == 'CHNCXR' else ''
            name = f'{Path(film.path).stem}{suffix}.png'
            save_mask(root / 'Lung Segmentation/masks' / name, drawn.left_lung | drawn.right_lung)
        return {}

    def write_tables(
        self, root: Path, films: list[FilmPlan], facts: list[dict[str, Any]], seed: int
    ) -> None:
        """See ``Layout.write_tables``."""
        readings = root / 'Lung Segmentation/ClinicalReadings'
        readings.mkdir(parents=True, exist_ok=True)
        for film in films:
            rng = self.generator(seed, film.patient)
            style = 'montgomery' if film.view == 'MCUCXR' else 'china'
            text = write_reading(rng, film.label != 'normal', style)
            (readings / f'{Path(film.path).stem}.txt').write_text(text)

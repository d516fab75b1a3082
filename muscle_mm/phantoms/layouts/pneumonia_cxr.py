# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The children's pneumonia set of Kermany and others."""

from pathlib import Path
from typing import Any

from muscle_mm.phantoms.chest import render_chest
from muscle_mm.phantoms.chest_build import ChestBuild
from muscle_mm.phantoms.finding import Finding
from muscle_mm.phantoms.layouts.layout import (
    FilmPlan,
    Layout,
    deal,
    draw_shape,
    group_by_patient,
    save_film,
)


class PneumoniaCXRLayout(Layout):
    """``chest_xray/{train,val,test}/{NORMAL,PNEUMONIA}/*.jpeg``, patients named in the files.

    The published set has 27 normal films in 100; ours has 45, so that small parts hold both.
    """

    name = 'PneumoniaCXR'
    folder = 'pneumonia'
    default_count = 400

    def plan(self, count: int, seed: int) -> list[FilmPlan]:
        """See ``Layout.plan``."""
        rng = self.generator(seed)
        films: list[FilmPlan] = []
        patient = running = 0
        for kind, of_kind in deal(count, {'NORMAL': 0.45, 'PNEUMONIA': 0.55}).items():
            parts = deal(of_kind, {'train': 0.82, 'val': 0.03, 'test': 0.15})
            for part, of_part in parts.items():
                for number in group_by_patient(of_part, rng):
                    patient += 1
                    germ = str(rng.choice(['bacteria', 'virus'], p=(0.6, 0.4)))
                    second = kind == 'NORMAL' and rng.random() < 0.5
                    for image in range(number):
                        running += 1
                        if kind == 'NORMAL':
                            name = f'IM-{patient:04d}-{image + 1:04d}'
                            name = f'NORMAL2-{name}' if second else name
                        else:
                            name = f'person{patient}_{germ}_{running}'
                        path = f'chest_xray/{part}/{kind}/{name}.jpeg'
                        label = 'normal' if kind == 'NORMAL' else germ
                        films.append(FilmPlan(path, patient, image, label, part=part))
        return films

    def write_film(self, root: Path, film: FilmPlan, size: int, seed: int) -> dict[str, Any]:
        """See ``Layout.write_film``."""
        build = ChestBuild.draw(self.generator(seed, film.patient))
        rng = self.generator(seed, film.patient, film.image)
        height, width = draw_shape(rng, size, (1.0, 1.45))
        findings: list[Finding] = []
        if film.label == 'bacteria':
            findings = [Finding('consolidation')]
            if rng.random() < 0.5:
                findings.append(Finding('consolidation'))
        elif film.label == 'virus':
            findings = [Finding('interstitial', side=-1), Finding('interstitial', side=1)]
        drawn = render_chest(build, rng, height, width, findings)
        # A few of the published films are stored with three channels.
        save_film(root / film.path, drawn.pixels, colour=film.patient % 9 == 0)
        return {}

    def write_tables(
        self, root: Path, films: list[FilmPlan], facts: list[dict[str, Any]], seed: int
    ) -> None:
        """The folders say it all: there are no tables."""

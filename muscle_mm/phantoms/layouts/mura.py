# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The musculoskeletal set of Stanford."""

from pathlib import Path
from typing import Any

from muscle_mm.phantoms.layouts.layout import (
    FilmPlan,
    Layout,
    deal,
    draw_shape,
    group_by_patient,
    save_film,
)
from muscle_mm.phantoms.limb_build import LimbBuild
from muscle_mm.phantoms.limb_film import VIEWS, render_limb


class MURALayout(Layout):
    """``MURA-v1.1/{train,valid}/XR_PART/patientNNNNN/studyN_LABEL/imageN.png`` and four tables."""

    name = 'MURA'
    folder = 'mura'
    default_count = 400

    KINDS = ('fracture', 'hardware', 'hardware', 'hardware', 'fixed', 'fixed', 'fixed')
    """The changes in positive studies, by turns."""

    def plan(self, count: int, seed: int) -> list[FilmPlan]:
        """See ``Layout.plan``."""
        rng = self.generator(seed)
        films: list[FilmPlan] = []
        patient = 0
        for part, of_part in deal(count, {'train': 0.88, 'valid': 0.12}).items():
            for number in group_by_patient(of_part, rng, (0.35, 0.35, 0.3)):
                patient += 1
                view = VIEWS[patient % len(VIEWS)]
                # Labels take turns, so that a small part holds both for every body part.
                label = ('negative', 'positive')[(patient // len(VIEWS) + patient % len(VIEWS)) % 2]
                folder = f'MURA-v1.1/{part}/XR_{view}/patient{patient:05d}'
                returns = number > 2 and rng.random() < 0.4
                for image in range(number):
                    study, own = (2, 1) if returns and image == number - 1 else (1, image + 1)
                    healed = 'negative' if study == 2 else label
                    path = f'{folder}/study{study}_{healed}/image{own}.png'
                    films.append(FilmPlan(path, patient, image, healed, view, part))
        return films

    def write_film(self, root: Path, film: FilmPlan, size: int, seed: int) -> dict[str, Any]:
        """See ``Layout.write_film``."""
        build = LimbBuild.draw(self.generator(seed, film.patient))
        rng = self.generator(seed, film.patient, film.image)
        height, width = draw_shape(rng, size, (0.75, 1.3))
        # One kind of change a patient. The kinds take turns within each body part.
        turn = film.patient // (2 * len(VIEWS)) + film.patient % len(VIEWS)
        kind = self.KINDS[turn % len(self.KINDS)]
        finding = kind if film.label == 'positive' else None
        save_film(root / film.path, render_limb(film.view, build, rng, height, width, finding))
        return {}

    def write_tables(
        self, root: Path, films: list[FilmPlan], facts: list[dict[str, Any]], seed: int
    ) -> None:
        """See ``Layout.write_tables``."""
        for part in ('train', 'valid'):
            own = [film for film in films if film.part == part]
            paths = ''.join(f'{film.path}\n' for film in own)
            studies = {
                Path(film.path).parent.as_posix(): int(film.label == 'positive') for film in own
            }
            labels = ''.join(f'{study}/,{label}\n' for study, label in studies.items())
            folder = root / 'MURA-v1.1'
            (folder / f'{part}_image_paths.csv').write_text(paths)
            (folder / f'{part}_labeled_studies.csv').write_text(labels)

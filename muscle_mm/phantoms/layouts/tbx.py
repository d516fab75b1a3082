# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""TBX11K: boxes around active and latent tuberculosis."""

import json
from pathlib import Path
from typing import Any

from muscle_mm.phantoms.chest import render_chest
from muscle_mm.phantoms.chest_build import ChestBuild
from muscle_mm.phantoms.finding import Finding
from muscle_mm.phantoms.layouts.layout import FilmPlan, Layout, save_film

_CATEGORIES = ('ActiveTuberculosis', 'ObsoletePulmonaryTuberculosis', 'PulmonaryTuberculosis')
_CATEGORY_OF = {'infiltrate': 1, 'calcified': 2}


class TBXLayout(Layout):
    """``TBX11K/imgs/{health,sick,tb}`` and COCO files under ``TBX11K/annotations/json``.

    The count is that of films with boxes; a tenth as many healthy and as many otherwise sick films
    come on top. All are square, as in the published set.
    """

    name = 'TBX'
    folder = 'tbx'
    default_count = 240

    def plan(self, count: int, seed: int) -> list[FilmPlan]:
        """See ``Layout.plan``."""
        films = []
        patient = 0
        extra = max(1, count // 10)
        for group, letters, number in (
            ('tb', 'tb', count),
            ('health', 'h', extra),
            ('sick', 's', extra),
        ):
            for index in range(1, number + 1):
                patient += 1
                label = (
                    ('active', 'latent', 'active', 'both')[index % 4] if group == 'tb' else group
                )
                path = f'TBX11K/imgs/{group}/{letters}{index:04d}.png'
                part = 'val' if index % 5 == 0 else 'train'
                films.append(FilmPlan(path, patient, 0, label, part=part))
        return films

    def write_film(self, root: Path, film: FilmPlan, size: int, seed: int) -> dict[str, Any]:
        """See ``Layout.write_film``."""
        rng = self.generator(seed, film.patient, film.image)
        findings: list[Finding] = []
        side = int(rng.choice([-1, 1]))
        if film.label in ('active', 'both'):
            findings.append(Finding('infiltrate', side=side))
            if film.label == 'active' and rng.random() < 0.3:
                findings.append(Finding('infiltrate', side=-side))
        if film.label in ('latent', 'both'):
            findings.append(Finding('calcified', side=-side))
        if film.label == 'sick':
            findings.append(Finding(str(rng.choice(['effusion', 'nodule'])), side=side))
        build = ChestBuild.draw(self.generator(seed, film.patient))
        drawn = render_chest(build, rng, size, size, findings)
        save_film(root / film.path, drawn.pixels)
        boxes = [
            {'category': _CATEGORY_OF[found.kind], 'box': found.box}
            for found in drawn.boxes
            if found.kind in _CATEGORY_OF
        ]
        return {'height': size, 'width': size, 'boxes': boxes}

    def write_tables(
        self, root: Path, films: list[FilmPlan], facts: list[dict[str, Any]], seed: int
    ) -> None:
        """See ``Layout.write_tables``."""
        folder = root / 'TBX11K/annotations/json'
        folder.mkdir(parents=True, exist_ok=True)
        categories = [
            {'id': number, 'name': name, 'supercategory': 'Tuberculosis'}
            for number, name in enumerate(_CATEGORIES, 1)
        ]
        for part, wanted in (
            ('train', ('train',)),
            ('val', ('val',)),
            ('trainval', ('train', 'val')),
        ):
            images: list[dict[str, Any]] = []
            annotations: list[dict[str, Any]] = []
            for film, fact in zip(films, facts, strict=True):
                if film.part not in wanted:
                    continue
                name = film.path.removeprefix('TBX11K/imgs/')
                size = {'width': fact['width'], 'height': fact['height']}
                images.append({'id': film.patient, 'file_name': name, **size})
                for found in fact['boxes']:
                    left, top, right, bottom = found['box']
                    annotations.append(
                        {
                            'id': len(annotations) + 1,
                            'image_id': film.patient,
                            'category_id': found['category'],
                            'bbox': [left, top, right - left, bottom - top],
                            'area': (right - left) * (bottom - top),
                            'iscrowd': 0,
                        }
                    )
            content = {'images': images, 'annotations': annotations, 'categories': categories}
            (folder / f'TBX11K_{part}.json').write_text(json.dumps(content))

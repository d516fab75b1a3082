# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The Indiana University films and reports of Open-i."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

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

_REPORTS = {
    'normal': 'The heart size is within normal limits. The lungs are clear.',
    'Opacity/lung': 'There is a patchy airspace opacity. No pleural effusion.',
    'Granuloma': 'Scattered calcified granulomas. No acute disease.',
    'Pleural Effusion': 'There is a pleural effusion. The heart size is normal.',
    'Nodule': 'A rounded pulmonary nodule is seen. Follow-up is suggested.',
}
_FINDINGS: dict[str, tuple[Finding, ...]] = {
    'normal': (),
    'Opacity/lung': (Finding('consolidation'),),
    'Granuloma': (Finding('calcified'),),
    'Pleural Effusion': (Finding('effusion'),),
    'Nodule': (Finding('nodule'),),
}


class IndianaCXRLayout(Layout):
    """``NLMCXR_png/CXR1_1_IM-0001-3001.png`` and ``NLMCXR_reports/ecgen-radiology/1.xml``."""

    name = 'IndianaCXR'
    folder = 'indiana_cxr'
    default_count = 60

    def plan(self, count: int, seed: int) -> list[FilmPlan]:
        """See ``Layout.plan``."""
        rng = self.generator(seed)
        films = []
        for patient, number in enumerate(group_by_patient(count, rng, (0.3, 0.7)), 1):
            label = str(rng.choice(list(_REPORTS), p=(0.5, 0.2, 0.12, 0.1, 0.08)))
            series = int(rng.integers(1, 2500))
            for image in range(number):
                name = f'CXR{patient}_1_IM-{series:04d}-{3001 + image}.png'
                films.append(FilmPlan(f'NLMCXR_png/{name}', patient, image, label))
        return films

    def write_film(self, root: Path, film: FilmPlan, size: int, seed: int) -> dict[str, Any]:
        """See ``Layout.write_film``."""
        build = ChestBuild.draw(self.generator(seed, film.patient))
        rng = self.generator(seed, film.patient, film.image)
        height, width = draw_shape(rng, size, (0.85, 1.2))
        drawn = render_chest(build, rng, height, width, _FINDINGS[film.label])
        save_film(root / film.path, drawn.pixels)
        return {}

    def write_tables(
        self, root: Path, films: list[FilmPlan], facts: list[dict[str, Any]], seed: int
    ) -> None:
        """See ``Layout.write_tables``."""
        reports = root / 'NLMCXR_reports/ecgen-radiology'
        reports.mkdir(parents=True, exist_ok=True)
        by_patient: dict[int, list[FilmPlan]] = {}
        for film in films:
            by_patient.setdefault(film.patient, []).append(film)
        for patient, own in by_patient.items():
            report = ElementTree.Element('eCitation')
            ElementTree.SubElement(report, 'uId', id=f'CXR{patient}')
            medline = ElementTree.SubElement(report, 'MedlineCitation', Owner='NLM')
            article = ElementTree.SubElement(medline, 'Article', PubModel='Electronic')
            abstract = ElementTree.SubElement(article, 'Abstract')
            texts = {'FINDINGS': _REPORTS[own[0].label], 'IMPRESSION': own[0].label}
            for title, text in texts.items():
                ElementTree.SubElement(abstract, 'AbstractText', Label=title).text = text
            headings = ElementTree.SubElement(report, 'MeSH')
            ElementTree.SubElement(headings, 'major').text = own[0].label
            for number, film in enumerate(own, 1):
                stem = Path(film.path).stem
                shown = ElementTree.SubElement(report, 'parentImage', id=stem)
                ElementTree.SubElement(shown, 'figureId').text = f'F{number}'
                ElementTree.SubElement(shown, 'caption').text = 'Xray Chest PA'
            ElementTree.indent(report)
            ElementTree.ElementTree(report).write(
                reports / f'{patient}.xml', encoding='utf-8', xml_declaration=True
            )

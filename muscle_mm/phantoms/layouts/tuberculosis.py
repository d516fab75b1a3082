# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What the tuberculosis sets of the National Library of Medicine share."""

import numpy as np

from muscle_mm.phantoms.chest import ChestFilm, render_chest
from muscle_mm.phantoms.chest_build import ChestBuild
from muscle_mm.phantoms.finding import Finding
from muscle_mm.phantoms.layouts.layout import draw_shape


def render_screening(
    patient_rng: np.random.Generator,
    rng: np.random.Generator,
    size: int,
    sick: bool,
    aspect: tuple[float, float],
) -> ChestFilm:
    """Draw a film of a tuberculosis screening.

    Args:
        patient_rng (np.random.Generator): The patient's source of randomness.
        rng (np.random.Generator): The film's source of randomness.
        size (int): Typical length of the shorter side.
        sick (bool): Whether there is a tuberculosis to see.
        aspect (tuple[float, float]): Range of width / height.

    Returns:
        ChestFilm: The film and its truth.
    """
    height, width = draw_shape(rng, size, aspect)
    findings = [Finding(str(rng.choice(['infiltrate', 'infiltrate', 'calcified'])))] if sick else []
    return render_chest(ChestBuild.draw(patient_rng), rng, height, width, findings)


def write_reading(rng: np.random.Generator, sick: bool, style: str) -> str:
    """Word a clinical reading.

    Args:
        rng (np.random.Generator): The patient's source of randomness.
        sick (bool): Whether the film shows a tuberculosis.
        style (str): 'china' or 'montgomery', the two published forms.

    Returns:
        str: The text of the file.
    """
    age, sex = int(rng.integers(16, 80)), int(rng.integers(2))
    where = str(rng.choice(['right upper', 'left upper', 'bilateral upper']))
    if style == 'china':
        reading = f'{where} field PTB' if sick else 'normal'
        return f'{["male", "female"][sex]} {age}yrs\n{reading}\n'
    reading = f'{where} lobe infiltrate, consistent with TB' if sick else 'normal'
    return f"Patient's Sex: {'MF'[sex]}\nPatient's Age: {age:03d}Y\n{reading}\n"

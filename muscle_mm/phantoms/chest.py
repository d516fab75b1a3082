# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A frontal chest film."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from muscle_mm.phantoms.canvas import Canvas
from muscle_mm.phantoms.chest_bones import draw_ribs, draw_shoulders, draw_spine
from muscle_mm.phantoms.chest_build import ChestBuild
from muscle_mm.phantoms.chest_trunk import draw_trunk, measure_lungs
from muscle_mm.phantoms.film import develop
from muscle_mm.phantoms.finding import Finding, FindingBox
from muscle_mm.phantoms.lung_findings import add_finding
from muscle_mm.phantoms.lung_vessels import draw_vessels
from muscle_mm.phantoms.pose import Pose


@dataclass(frozen=True)
class ChestFilm:
    """A chest film with its truth. The patient's left is on the right of the film.

    Args:
        pixels (np.ndarray): (H, W) float32 in [0, 1].
        left_lung (np.ndarray): (H, W) bool, the patient's left lung without the heart.
        right_lung (np.ndarray): (H, W) bool, the patient's right lung.
        boxes (tuple[FindingBox, ...]): Tight boxes around the findings.
    """

    pixels: np.ndarray
    left_lung: np.ndarray
    right_lung: np.ndarray
    boxes: tuple[FindingBox, ...]


def render_chest(
    build: ChestBuild,
    rng: np.random.Generator,
    height: int,
    width: int,
    findings: Sequence[Finding] = (),
) -> ChestFilm:
    """Draw and develop a chest film.

    Args:
        build (ChestBuild): The patient.
        rng (np.random.Generator): The film's source of randomness: pose, breath, exposure.
        height (int): Rows of the film.
        width (int): Columns of the film.
        findings (Sequence[Finding]): What to draw into the lungs. Default: none.

    Returns:
        ChestFilm: The film and its truth.
    """
    centre = (rng.normal(0, 0.05), rng.normal(-0.05, 0.06))
    pose = Pose(centre, rng.uniform(0.86, 1.1), rng.normal(0, 0.045))
    canvas = Canvas(height, width, pose, rng, warp=0.03)
    breath = rng.uniform(-0.12, 0.05)
    lungs = measure_lungs(canvas, build, breath)
    draw_trunk(canvas, build, lungs, breath, rng)
    draw_vessels(canvas, build, lungs, rng)
    draw_spine(canvas, build, rng)
    draw_ribs(canvas, build)
    draw_shoulders(canvas, build, rng)
    boxes = [add_finding(canvas, lungs, finding, rng) for finding in findings]
    if rng.random() < 0.2:
        _draw_leads(canvas, rng)
    mark = str(rng.choice(['L', 'R', 'L AP', 'R PA'])) if rng.random() < 0.75 else None
    mark_side = 1 if mark and mark[0] == 'L' else -1
    pixels = develop(canvas.attenuation, rng, mark, mark_side, collimation=0.25)
    return ChestFilm(
        pixels, lungs[1] > 0, lungs[-1] > 0, tuple(box for box in boxes if box is not None)
    )


def _draw_leads(canvas: Canvas, rng: np.random.Generator) -> None:
    """Electrode wires lie on the sick and the well alike."""
    layer = np.zeros((canvas.height, canvas.width), np.uint8)
    size = np.array([canvas.width, canvas.height])
    for _ in range(int(rng.integers(1, 4))):
        start, control, end = rng.uniform(0.05, 0.95, (3, 2)) * size
        share = np.linspace(0, 1, 24)[:, None]
        curve = (1 - share) ** 2 * start + 2 * share * (1 - share) * control + share**2 * end
        points = np.round(curve * 16).astype(np.int32)[:, None]
        cv2.polylines(layer, [points], False, 150, 1, cv2.LINE_AA, 4)
        middle = tuple(int(value) for value in points[-1, 0])
        radius = round(0.02 / canvas.pixel * 16)
        cv2.circle(layer, middle, radius, 230, -1, cv2.LINE_AA, 4)
    canvas.attenuation += layer.astype(np.float32) * np.float32(0.9 / 255)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The vessels of the lungs."""

import cv2
import numpy as np

from muscle_mm.phantoms.canvas import Canvas, rise
from muscle_mm.phantoms.chest_build import ChestBuild

_STEPS = 6


def draw_vessels(
    canvas: Canvas, build: ChestBuild, lungs: dict[int, np.ndarray], rng: np.random.Generator
) -> None:
    """Draw the lung roots and the vessels that branch from them.

    Args:
        canvas (Canvas): The film.
        build (ChestBuild): The patient.
        lungs (dict[int, np.ndarray]): By side (-1, 1), how deep inside that lung a pixel lies.
        rng (np.random.Generator): The source of randomness.
    """
    layer = np.zeros((canvas.height, canvas.width), np.uint8)
    for side in (-1, 1):
        root = (side * (build.mediastinum + 0.03), -0.02 + 0.03 * side)
        canvas.sphere(root, (0.09, 0.15), 0.16 * build.vessels)
        for direction in np.linspace(-1.35, 1.35, 8) + rng.normal(0, 0.1, 8):
            stem = _draw_branch(canvas, layer, root, side, float(direction), 0.017, rng)
            for step in (1, 2, 3):
                turn = rng.choice([-1, 1]) * rng.uniform(0.35, 0.75)
                start = (stem[step][0], stem[step][1])
                _draw_branch(canvas, layer, start, side, direction + turn, 0.009, rng)
    soft = cv2.GaussianBlur(layer, (0, 0), max(0.6, 0.005 / canvas.pixel))
    within = rise(np.maximum(lungs[-1], lungs[1]), 0.04)
    canvas.attenuation += soft * within * np.float32(0.24 * build.vessels / 255)


def _draw_branch(
    canvas: Canvas,
    layer: np.ndarray,
    root: tuple[float, float],
    side: int,
    direction: float,
    radius: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw one vessel, thinner and fainter outwards, and return its points."""
    headings = direction + np.cumsum(rng.normal(0, 0.13, _STEPS))
    lengths = 0.085 * rng.uniform(0.8, 1.2, _STEPS)
    points = np.empty((_STEPS + 1, 2))
    points[0] = root
    points[1:, 0] = root[0] + side * np.cumsum(lengths * np.cos(headings))
    points[1:, 1] = root[1] + np.cumsum(lengths * np.sin(headings))
    # Four fractional bits let OpenCV place the lines between pixels.
    places = np.round(canvas.to_pixels(points) * 16).astype(int).tolist()
    for step in range(_STEPS):
        share = 1 - step / (_STEPS + 1)
        thickness = max(1, round(2 * radius * share / canvas.pixel))
        shade = int(255 * min(1.0, 0.3 + 40 * radius * share))
        cv2.line(layer, places[step], places[step + 1], shade, thickness, cv2.LINE_AA, 4)
    return points

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The soft parts of the chest: the lungs, the heart, and what surrounds them."""

import math

import numpy as np

from muscle_mm.phantoms.canvas import Canvas, ellipse_radius, rise
from muscle_mm.phantoms.chest_build import ChestBuild


def measure_lungs(canvas: Canvas, build: ChestBuild, breath: float) -> dict[int, np.ndarray]:
    """Measure how deep inside the lungs each pixel lies.

    Args:
        canvas (Canvas): The film.
        build (ChestBuild): The patient.
        breath (float): How much lower the diaphragm stands than at full breath.

    Returns:
        dict[int, np.ndarray]: By side (-1: the patient's right, 1: left), (H, W) float32, roughly
            in body lengths, negative outside. The heart is outside.
    """
    heart = (_heart_radius(canvas, build, breath) - 1) * np.float32(0.26)
    above = np.maximum(np.float32(0.12) - canvas.y, 0) / np.float32(0.12 - build.top)
    above = above**2.3
    tip = np.float32(0.07) * rise(-0.42 - canvas.y, 0.25)
    stem = np.float32(build.mediastinum) + np.float32(0.035) * rise(canvas.y + 0.1, 0.35)
    lungs = {}
    for side in (-1, 1):
        x = canvas.x * np.float32(side)
        outward = np.maximum(x, 0) / np.float32(build.width)
        wall = (1 - np.sqrt(outward**2 + above)) * np.float32(0.7)
        dome = np.float32((build.left_dome if side > 0 else build.right_dome) + breath)
        floor = dome + np.float32(1.15) * (x - np.float32(0.3)) ** 2
        depth = np.minimum(wall, x - stem - tip)
        depth = np.minimum(depth, (floor - canvas.y) * np.float32(0.8))
        lungs[side] = np.minimum(depth, heart)
    return lungs


def draw_trunk(
    canvas: Canvas,
    build: ChestBuild,
    lungs: dict[int, np.ndarray],
    breath: float,
    rng: np.random.Generator,
) -> None:
    """Draw everything that is not bone.

    Args:
        canvas (Canvas): The film.
        build (ChestBuild): The patient.
        lungs (dict[int, np.ndarray]): What ``measure_lungs`` returned.
        breath (float): How much lower the diaphragm stands than at full breath.
        rng (np.random.Generator): The source of randomness.
    """
    x, y = canvas.x, canvas.y
    spread = np.abs(x)
    slope = np.float32(build.shoulder) + np.float32(0.3) * np.maximum(spread - 0.2, 0)
    trunk = np.maximum(y - slope, (0.2 - spread) * 0.8)
    trunk = np.minimum(trunk, (np.float32(build.width + 0.33) - spread) * 0.8)
    body = np.float32(build.body) * (1 - np.exp(np.minimum(trunk, 0.9).clip(0) / np.float32(-0.16)))
    # Thickest in the middle, and towards the belly.
    body *= 1 + np.float32(0.25) * rise(0.35 - spread, 0.7) + np.float32(0.18) * rise(y - 0.35, 0.5)
    canvas.attenuation += body
    for side, depth in lungs.items():
        # The lung rounds off quickly towards its border.
        share = 1 - np.clip(depth * np.float32(1 / 0.2), 0, 1)
        air = 1 - share**4
        clear = rng.uniform(0.68, 0.9)
        canvas.attenuation -= np.float32(build.body * clear) * air
        if build.breast:
            centre = (side * rng.uniform(0.4, 0.48), rng.uniform(0.2, 0.34))
            canvas.sphere(centre, (0.32, 0.28), build.breast)
    heart = _heart_radius(canvas, build, breath)
    bottom = rise(np.float32(0.42 + 0.6 * breath) - y, 0.15)
    canvas.attenuation += np.float32(0.2) * np.sqrt(np.maximum(1 - heart**2, 0)) * bottom
    knob = 0.1 * build.aorta
    canvas.sphere((build.mediastinum * 0.75, -0.27), (knob, 1.2 * knob), 0.28)
    # The liver under the right dome, the stomach bubble under the left one.
    canvas.sphere((-0.38, build.right_dome + breath + 0.42), (0.62, 0.44), 0.3)
    if rng.random() < 0.6:
        bubble = (rng.uniform(0.3, 0.45), build.left_dome + breath + rng.uniform(0.13, 0.2))
        canvas.sphere(bubble, (rng.uniform(0.08, 0.16), rng.uniform(0.04, 0.09)), -0.3)
    window = canvas.window([(0.012, -1.6), (0.012, -0.2)], 0.08)
    if window is not None:
        across = rise(0.045 - np.abs(x[window] - 0.012), 0.03)
        canvas.attenuation[window] -= (
            np.float32(0.22) * across * rise(-0.26 - y[window], 0.1) * (trunk[window] > 0)
        )


def _heart_radius(canvas: Canvas, build: ChestBuild, breath: float) -> np.ndarray:
    """Distance from the middle of the heart, 1 on its border."""
    centre = (0.1, 0.2 + 0.6 * breath)
    radii = (0.325 * build.heart, 0.225 * build.heart)
    # The heart rests on the diaphragm: below its tip it goes straight down, behind the dome.
    tip = centre[1] + 0.7 * radii[0] * math.sin(build.heart_tilt)
    y = np.minimum(canvas.y, np.float32(tip))
    return ellipse_radius(canvas.x, y, centre, radii, build.heart_tilt)

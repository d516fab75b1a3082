# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Metal that surgeons leave in bones."""

import numpy as np

from muscle_mm.phantoms.bone import Bone
from muscle_mm.phantoms.canvas import Canvas

METAL = 60.0
"""Density of steel against 4 to 6 of cortical bone."""


def add_hardware(canvas: Canvas, bone: Bone, rng: np.random.Generator, place: float) -> None:
    """Fix a bone with a plate and screws, a nail, or crossed wires.

    Args:
        canvas (Canvas): The film.
        bone (Bone): The bone that carries the metal.
        rng (np.random.Generator): The source of randomness.
        place (float): Where along the bone the metal has its middle.
    """
    kind = rng.choice(['plate', 'plate', 'nail', 'wires'])
    radius = bone.radius(place)
    # Long enough for a few screws, short enough to stay on the bone.
    half = min(max(rng.uniform(0.22, 0.32), 4 * radius / bone.length), 0.35)
    start, end = max(0.06, place - half), min(0.94, place + half)
    if kind == 'nail':
        _rod(canvas, bone.point(start), bone.point(end), max(0.45 * radius, 1.6 * canvas.pixel))
        return
    screw = max(0.2 * radius, 1.3 * canvas.pixel)
    if kind == 'wires':
        for side in (-1, 1):
            near, far = (
                bone.point(start, 1.4 * side * radius),
                bone.point(end, -1.4 * side * radius),
            )
            _rod(canvas, near, far, screw)
        return
    side = rng.choice([-1, 1])
    offset = side * radius * rng.uniform(0.6, 1.0)
    _rod(
        canvas, bone.point(start, offset), bone.point(end, offset), max(0.36 * radius, 1.4 * screw)
    )
    for share in np.linspace(start + 0.02, end - 0.02, int(rng.integers(4, 7))):
        head, tip = 1.35 * offset, -1.15 * side * radius
        _rod(canvas, bone.point(share, head), bone.point(share, tip), screw)


def _rod(
    canvas: Canvas,
    start: tuple[float, float],
    end: tuple[float, float],
    radius: float,
) -> None:
    Bone(start, end, radius, radius, radius, marrow=0.05, density=METAL).draw(canvas)

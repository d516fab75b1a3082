# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Metal that surgeons leave in bones."""

import numpy as np

from muscle_mm.phantoms.bone import Bone
from muscle_mm.phantoms.canvas import Canvas

METAL = 18.0
"""Density of steel against 4 to 6 of cortical bone."""


def add_hardware(canvas: Canvas, bone: Bone, rng: np.random.Generator) -> None:
    """Fix a bone with a plate and screws, a nail, or crossed wires.

    Args:
        canvas (Canvas): The film.
        bone (Bone): The bone that carries the metal.
        rng (np.random.Generator): The source of randomness.
    """
    kind = rng.choice(['plate', 'plate', 'nail', 'wires'])
    start, end = rng.uniform(0.12, 0.3), rng.uniform(0.7, 0.88)
    radius = bone.radius(0.5)
    if kind == 'nail':
        _rod(canvas, bone.point(start), bone.point(end), 0.42 * radius)
    elif kind == 'wires':
        for side in (-1, 1):
            near, far = (
                bone.point(start, 1.3 * side * radius),
                bone.point(end, -1.3 * side * radius),
            )
            _rod(canvas, near, far, max(0.16 * radius, 0.7 * canvas.pixel))
    else:
        side = rng.choice([-1, 1])
        offset = side * radius * rng.uniform(0.5, 0.95)
        _rod(canvas, bone.point(start, offset), bone.point(end, offset), 0.3 * radius, 0.6)
        count = int(rng.integers(4, 7))
        for share in np.linspace(start + 0.03, end - 0.03, count):
            screw = max(0.15 * radius, 0.7 * canvas.pixel)
            far_end = -side * radius * 1.05
            _rod(canvas, bone.point(share, offset), bone.point(share, far_end), screw)


def _rod(
    canvas: Canvas,
    start: tuple[float, float],
    end: tuple[float, float],
    radius: float,
    flat: float = 1.0,
) -> None:
    density = METAL * flat
    Bone(start, end, radius, radius, radius, marrow=0.05, density=density).draw(canvas)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The bones of the chest: spine, ribs, shoulder girdle."""

import math

import numpy as np

from muscle_mm.phantoms.bone import Bone
from muscle_mm.phantoms.canvas import Canvas, rise
from muscle_mm.phantoms.chest_build import ChestBuild

_RIBS = 11


def draw_spine(canvas: Canvas, build: ChestBuild, rng: np.random.Generator) -> None:
    """Draw the vertebrae with their end plates, pedicles and spinous processes.

    Args:
        canvas (Canvas): The film.
        build (ChestBuild): The patient.
        rng (np.random.Generator): The source of randomness.
    """
    window = canvas.window([(-0.12, -1.6), (0.12, 1.6)], 0.03)
    if window is None:
        return
    x, y = canvas.x[window], canvas.y[window]
    bend = np.float32(rng.normal(0, 0.012)) * np.sin(y * 2.2 + np.float32(rng.uniform(0, 6)))
    x = x - bend
    step = np.float32(0.108) * (1 + np.float32(0.12) * y)
    phase = y / step + np.float32(rng.random())
    within = phase - np.floor(phase) - np.float32(0.5)
    half = np.float32(0.072) + np.float32(0.04) * np.abs(within)
    disc = rise(np.abs(within) - 0.4, 0.12)
    inside = rise(half - np.abs(x), 0.02)
    body = inside * (1 - np.float32(0.75) * disc)
    rim = np.exp(-(((np.abs(x) - half + np.float32(0.006)) / np.float32(0.009)) ** 2)) * (1 - disc)
    plates = np.exp(-(((np.abs(within) - np.float32(0.37)) / np.float32(0.05)) ** 2)) * inside
    pedicles = np.exp(
        -(((np.abs(x) - np.float32(0.05)) / np.float32(0.014)) ** 2)
        - ((within + np.float32(0.12)) / np.float32(0.16)) ** 2
    )
    spinous = np.exp(
        -((x / np.float32(0.012)) ** 2) - ((within - np.float32(0.2)) / np.float32(0.2)) ** 2
    )
    texture = 1 + np.float32(0.12) * canvas.texture[window]
    bone = 0.2 * body * texture + 0.1 * rim + 0.09 * plates + 0.12 * pedicles + 0.12 * spinous
    canvas.attenuation[window] += np.float32(build.bone) * bone


def draw_ribs(canvas: Canvas, build: ChestBuild) -> None:
    """Draw the ribs as tilted hoops around the chest.

    Seen from the front a tilted hoop is an ellipse: its upper half is the back of the rib, its
    lower half the front, and at the flank the rays run along the bone, which makes it brightest.

    Args:
        canvas (Canvas): The film.
        build (ChestBuild): The patient.
    """
    for index in range(_RIBS):
        back = build.top - 0.02 + index * build.rib_step
        drop = build.rib_slope * (0.55 + 0.06 * index)
        above = max(0.12 - back - drop / 2, 0) / (0.12 - build.top + 0.06)
        reach = (build.width + 0.015) * math.sqrt(max(1 - above**2.3, 0.12))
        # The last ribs float: short, and without a front.
        reach *= 1 - 0.06 * max(0, index - 8)
        radius = build.rib_radius * (1.0 if index else 0.85)
        front_strength = 0.62 * min(1.0, max(0.0, (8.5 - index) / 2))
        _draw_rib(canvas, back, drop, reach, radius, front_strength, 0.27 * build.bone)


def _draw_rib(
    canvas: Canvas,
    back: float,
    drop: float,
    reach: float,
    radius: float,
    front_strength: float,
    density: float,
) -> None:
    middle, half = back + drop / 2, drop / 2
    window = canvas.window([(-reach, back), (reach, back + drop)], 1.3 * radius)
    if window is None:
        return
    x, y = canvas.x[window], canvas.y[window]
    across, down = x * np.float32(1 / reach), (y - np.float32(middle)) * np.float32(1 / half)
    square = across**2 + down**2
    # Most of the window is not rib: go on with the pixels that may be.
    band = 1.3 * radius / half
    near = np.flatnonzero((square > (1 - band) ** 2) & (square < (1 + band) ** 2))
    across, down = across.ravel()[near], down.ravel()[near]
    radial = np.sqrt(square.ravel()[near])
    steep = np.sqrt((across / np.float32(reach)) ** 2 + (down / np.float32(half)) ** 2) / radial
    front = rise(down, 0.02 / half)
    # Seen from its thin side at the flank, wider in front.
    flank = np.minimum(across**2, 1)
    half_height = np.float32(radius) * (1 + np.float32(0.25) * front - np.float32(0.3) * flank**3)
    offset = ((radial - 1) / (steep * half_height)) ** 2
    matter = np.sqrt(np.maximum(1 - offset, 0)) - np.float32(0.55) * np.sqrt(
        np.maximum(np.float32(0.6) - offset, 0)
    )
    along_ray = 1 / np.sqrt(np.maximum(1 - np.float32(0.9) * flank, np.float32(0.2)))
    sideways = np.abs(across) * np.float32(reach)
    cartilage = rise(sideways - np.float32(0.5 * reach), 0.15)
    fade = (1 - front) * rise(sideways - 0.06, 0.03) + np.float32(
        front_strength
    ) * front * cartilage
    # The ends of the floating ribs fade before the flank is reached.
    if front_strength == 0:
        fade = fade * rise(np.float32(0.93) - np.abs(across), 0.1)
    added = np.zeros(x.shape, np.float32)
    added.flat[near] = np.float32(density) * matter * along_ray * fade
    canvas.attenuation[window] += added


def draw_shoulders(canvas: Canvas, build: ChestBuild, rng: np.random.Generator) -> None:
    """Draw clavicles, shoulder blades and upper arms.

    Args:
        canvas (Canvas): The film.
        build (ChestBuild): The patient.
        rng (np.random.Generator): The source of randomness.
    """
    lift = rng.uniform(-0.06, 0.06)
    for side in (-1, 1):
        own_lift = lift + rng.normal(0, 0.02)
        joint = (side * (build.width + 0.2), build.top + 0.06 - own_lift)
        clavicle = Bone(
            start=(side * 0.075, build.top + 0.17),
            end=(joint[0] - side * 0.04, joint[1] - 0.09),
            shaft=0.025,
            start_radius=0.04,
            end_radius=0.034,
            bow=side * rng.uniform(-0.02, 0.05),
            density=5.5 * build.bone,
        )
        clavicle.draw(canvas)
        # The shoulder blade: a faint plate beside the ribs.
        tip = (side * (build.width - 0.02), joint[1] + 0.56)
        Bone(joint, tip, 0.075, 0.05, 0.03, 0.4, marrow=0.93, density=1.2 * build.bone).draw(canvas)
        canvas.sphere(joint, (0.085, 0.09), 0.3 * build.bone)
        elbow = (side * (build.width + 0.4), build.top + 1.2)
        Bone(joint, elbow, 0.05, 0.08, 0.06, density=3.2 * build.bone).draw(canvas)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The skeleton and the flesh of an arm, from the finger tips to the shoulder."""

import math
from dataclasses import dataclass, field

import numpy as np

from muscle_mm.phantoms.bone import Bone
from muscle_mm.phantoms.limb_build import LimbBuild

Point = tuple[float, float]
Flesh = tuple[Point, Point, float, float]
"""A tapered limb: start, end, radius at the start, radius at the end."""


@dataclass
class Limb:
    """An arm laid out in body coordinates: the wrist at (0, 0), the fingers upwards.

    Args:
        bones (dict[str, Bone]): Tubular bones by name.
        pebbles (list[tuple[Point, Point, float]]): Small round bones: middle, half axes, angle.
        flesh (list[Flesh]): Soft tissue.
        elbow (Point): The middle of the elbow. Default: (0, 0).
        shoulder (Point): The middle of the shoulder joint. Default: (0, 0).
    """

    bones: dict[str, Bone] = field(default_factory=dict)
    pebbles: list[tuple[Point, Point, float]] = field(default_factory=list)
    flesh: list[Flesh] = field(default_factory=list)
    elbow: Point = (0.0, 0.0)
    shoulder: Point = (0.0, 0.0)


# Base and head of each metacarpal, thumb first; then the lengths of the phalanges after it.
_METACARPALS = (
    ((-0.24, -0.22), (-0.52, -0.58)),
    ((-0.15, -0.38), (-0.27, -1.0)),
    ((-0.04, -0.41), (-0.06, -1.02)),
    ((0.08, -0.39), (0.14, -0.95)),
    ((0.18, -0.34), (0.32, -0.84)),
)
_PHALANGES = (
    (0.34, 0.27),
    (0.44, 0.26, 0.19),
    (0.48, 0.31, 0.2),
    (0.45, 0.28, 0.2),
    (0.35, 0.2, 0.18),
)
_CARPALS = (
    ((-0.15, -0.13), (0.075, 0.05), 0.7),
    ((-0.03, -0.1), (0.062, 0.05), 0.0),
    ((0.085, -0.1), (0.055, 0.05), -0.4),
    ((0.105, -0.14), (0.035, 0.035), 0.0),
    ((-0.21, -0.23), (0.055, 0.05), 0.3),
    ((-0.13, -0.28), (0.05, 0.055), 0.0),
    ((-0.02, -0.26), (0.062, 0.09), 0.0),
    ((0.1, -0.26), (0.062, 0.075), -0.3),
)
FINGER_NAMES = ('thumb', 'index', 'middle', 'ring', 'little')


def build_limb(build: LimbBuild, rng: np.random.Generator) -> Limb:
    """Lay out an arm.

    Args:
        build (LimbBuild): The patient.
        rng (np.random.Generator): The film's source of randomness: how the joints are bent.

    Returns:
        Limb: Bones and flesh.
    """
    limb = Limb()
    _add_hand(limb, build, rng)
    _add_forearm(limb, build, rng)
    _add_upper_arm(limb, build, rng)
    return limb


def _plate(build: LimbBuild) -> float:
    return 0.95 * min(1.0, max(0.0, 1.15 - build.maturity) * 1.5) if build.maturity < 0.95 else 0.0


def _add_hand(limb: Limb, build: LimbBuild, rng: np.random.Generator) -> None:
    stout, density, plate = build.stout, 5.5 * build.density, _plate(build)
    for number, (name, (base, head)) in enumerate(zip(FINGER_NAMES, _METACARPALS, strict=True)):
        head = (head[0] * (0.75 + 0.25 * build.spread), head[1])
        thick = (0.062, 0.06, 0.06, 0.054, 0.052)[number] * stout
        limb.bones[f'{name}_0'] = Bone(
            base,
            head,
            0.68 * thick,
            1.15 * thick,
            1.2 * thick,
            0.22,
            bow=rng.normal(0, 0.01),
            marrow=0.55,
            density=density,
            growth_plate=plate if number == 0 else 0.0,
        )
        limb.flesh.append((base, head, 0.15 * build.flesh, 0.14 * build.flesh))
        heading = math.atan2(head[1] - base[1], head[0] - base[0])
        if number == 0:
            heading -= rng.uniform(-0.1, 0.3)
        else:
            heading += (number - 2.2) * 0.05 * (build.spread - 1) + rng.normal(0, 0.05)
        last = head
        for segment, length in enumerate(_PHALANGES[number], start=1):
            length = length * build.lengths[number]
            heading += rng.normal(0, 0.04)
            step = (math.cos(heading), math.sin(heading))
            gap = 0.022 + 0.02 * (1 - build.maturity)
            start = (last[0] + gap * step[0], last[1] + gap * step[1])
            last = (start[0] + length * step[0], start[1] + length * step[1])
            thick *= 0.9
            tip = segment == len(_PHALANGES[number])
            limb.bones[f'{name}_{segment}'] = Bone(
                start,
                last,
                (0.62 if tip else 0.7) * thick,
                1.12 * thick,
                (0.75 if tip else 0.95) * thick,
                0.24,
                marrow=0.55,
                density=density,
                growth_plate=plate,
            )
            flesh = (0.118 - 0.012 * segment) * build.flesh
            limb.flesh.append((start, last, flesh, flesh * 0.92))
    shown = 8 if build.maturity > 0.6 else max(2, round(8 * (build.maturity / 0.6)))
    order = (6, 7, 2, 1, 4, 5, 0, 3)
    for index in sorted(order[:shown]):
        centre, radii, angle = _CARPALS[index]
        grown = 0.55 + 0.45 * min(1.0, build.maturity / 0.75)
        size = (radii[0] * grown * stout, radii[1] * grown * stout)
        moved = (centre[0] + rng.normal(0, 0.006), centre[1] + rng.normal(0, 0.006))
        limb.pebbles.append((moved, size, angle + rng.normal(0, 0.15)))
    limb.flesh.append(((0.0, 0.05), (-0.03, -0.85), 0.3 * build.flesh, 0.36 * build.flesh))


def _add_forearm(limb: Limb, build: LimbBuild, rng: np.random.Generator) -> None:
    stout, density, plate = build.stout, 4.1 * build.density, _plate(build)
    lean = rng.normal(0, 0.12)

    def turned(x: float, y: float) -> Point:
        return x * math.cos(lean) - y * math.sin(lean), x * math.sin(lean) + y * math.cos(lean)

    limb.bones['radius'] = Bone(
        turned(-0.09, -0.02),
        turned(-0.14, 2.4),
        0.075 * stout,
        0.165 * stout,
        0.1 * stout,
        0.11,
        bow=rng.uniform(0.005, 0.03),
        marrow=0.5,
        density=density,
        growth_plate=plate * 0.8,
    )
    limb.bones['ulna'] = Bone(
        turned(0.14, 0.03),
        turned(0.09, 2.62),
        0.068 * stout,
        0.08 * stout,
        0.15 * stout,
        0.14,
        bow=rng.uniform(-0.02, 0.005),
        marrow=0.5,
        density=density,
    )
    limb.elbow = turned(0.0, 2.5)
    limb.flesh.append((turned(0, 0), turned(0, 2.4), 0.27 * build.flesh, 0.46 * build.flesh))


def _add_upper_arm(limb: Limb, build: LimbBuild, rng: np.random.Generator) -> None:
    stout, density = build.stout, 4.0 * build.density
    bend = rng.uniform(-0.15, 0.35) if rng.random() < 0.6 else rng.uniform(0.6, 1.5)
    across, down = math.sin(bend), math.cos(bend)
    elbow = limb.elbow
    start = (elbow[0] + 0.14 * across, elbow[1] + 0.14 * down)
    end = (elbow[0] + 3.0 * across, elbow[1] + 3.0 * down)
    limb.bones['humerus'] = Bone(
        start,
        end,
        0.115 * stout,
        0.27 * stout,
        0.25 * stout,
        0.12,
        bow=rng.normal(0, 0.01),
        marrow=0.55,
        density=density,
        growth_plate=0.0,
    )
    limb.flesh.append((elbow, end, 0.48 * build.flesh, 0.62 * build.flesh))
    limb.shoulder = end
    # The trunk lies beyond the shoulder, towards the body's right or left by the bend.
    inward = (down, -across)
    head = (end[0] + 0.1 * inward[0], end[1] + 0.1 * inward[1])

    def beyond(run: float, side: float) -> Point:
        return (
            end[0] + run * across + side * inward[0],
            end[1] + run * down + side * inward[1],
        )

    limb.pebbles.append((head, (0.24 * stout, 0.24 * stout), 0.0))
    limb.bones['glenoid'] = Bone(
        beyond(0.18, 0.33),
        beyond(-0.28, 0.36),
        0.06 * stout,
        0.07 * stout,
        0.07 * stout,
        marrow=0.7,
        density=density * 0.8,
    )
    limb.bones['scapula'] = Bone(
        beyond(-0.05, 0.36),
        beyond(-1.1, 0.85),
        0.2,
        0.1,
        0.08,
        0.3,
        marrow=0.93,
        density=density * 0.32,
    )
    limb.bones['acromion'] = Bone(
        beyond(0.34, 0.02),
        beyond(0.4, 0.75),
        0.06 * stout,
        0.09 * stout,
        0.05 * stout,
        density=density * 0.6,
    )
    limb.bones['clavicle'] = Bone(
        beyond(0.36, 0.16),
        beyond(0.5, 1.75),
        0.07 * stout,
        0.08 * stout,
        0.1 * stout,
        bow=rng.uniform(-0.05, 0.05),
        density=density * 0.9,
    )
    for rib in range(6):
        run = 0.12 - 0.3 * rib
        limb.bones[f'rib_{rib}'] = Bone(
            beyond(run - 0.25, 0.75 + 0.04 * rib),
            beyond(run + 0.1, 2.0),
            0.055,
            0.055,
            0.055,
            bow=0.12,
            density=density * 0.55,
        )
    limb.flesh.append((beyond(-0.2, 0.2), beyond(-0.4, 1.9), 0.75 * build.flesh, 1.2))
    limb.flesh.append((beyond(-0.9, 0.9), beyond(-1.2, 1.9), 0.8 * build.flesh, 1.2))

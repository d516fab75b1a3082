# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Films of an arm: hand, finger, wrist, forearm, elbow, humerus, shoulder."""

import math
from dataclasses import replace

import cv2
import numpy as np

from muscle_mm.phantoms.bone import Bone
from muscle_mm.phantoms.canvas import Canvas, ellipse_radius
from muscle_mm.phantoms.film import develop
from muscle_mm.phantoms.fracture import Fracture
from muscle_mm.phantoms.hardware import METAL, add_hardware
from muscle_mm.phantoms.limb import FINGER_NAMES, Flesh, Limb, build_limb
from muscle_mm.phantoms.limb_build import LimbBuild
from muscle_mm.phantoms.pose import Pose

VIEWS = ('ELBOW', 'FINGER', 'FOREARM', 'HAND', 'HUMERUS', 'SHOULDER', 'WRIST')
"""The parts of the arm that a film can show."""


def render_limb(
    view: str,
    build: LimbBuild,
    rng: np.random.Generator,
    height: int,
    width: int,
    finding: str | None = None,
) -> np.ndarray:
    """Draw and develop a film of a part of the arm.

    Args:
        view (str): One of ``VIEWS``.
        build (LimbBuild): The patient.
        rng (np.random.Generator): The film's source of randomness: pose, exposure, the finding.
        height (int): Rows of the film.
        width (int): Columns of the film.
        finding (str | None): 'fracture', 'hardware', 'fixed' (both) or None. Default: None.

    Returns:
        np.ndarray: (H, W) float32 in [0, 1].
    """
    limb = build_limb(build, rng)
    centre, reach, candidates = _aim(view, limb, rng)
    tilt = rng.normal(0, 0.2)
    if view in ('HUMERUS', 'SHOULDER'):
        # The arm hangs: turn the shoulder to the top of the film.
        across, down = np.subtract(limb.shoulder, limb.elbow).tolist()
        tilt += math.pi + math.atan2(across, down)
    elif view in ('ELBOW', 'FOREARM'):
        tilt += rng.choice([0.0, math.pi, math.pi / 2])
    centre = (centre[0] + rng.normal(0, 0.08) * reach, centre[1] + rng.normal(0, 0.08) * reach)
    pose = Pose(centre, reach * rng.uniform(0.9, 1.15), tilt, bool(rng.random() < 0.5))
    canvas = Canvas(height, width, pose, rng)
    broken, place = _choose_place(canvas, limb, candidates, rng) if finding else ('', 0.5)
    _draw_flesh(canvas, limb.flesh, rng)
    for middle, radii, angle in limb.pebbles:
        _draw_pebble(canvas, middle, radii, angle, 3.2 * build.density)
    for name, bone in limb.bones.items():
        hurt = name == broken and finding in ('fracture', 'fixed')
        fracture = Fracture.draw(rng, place) if hurt else None
        if fracture and finding == 'fixed':
            fracture = replace(fracture, shift=0.2 * fracture.shift, bend=0.0)
        bone.draw(canvas, fracture)
    if finding in ('hardware', 'fixed'):
        add_hardware(canvas, limb.bones[broken], rng, place)
    if view in ('FINGER', 'HAND') and rng.random() < 0.1:
        _draw_ring(canvas, limb.bones[f'{rng.choice(FINGER_NAMES[1:])}_1'])
    mark = str(rng.choice(['L', 'R'])) if rng.random() < 0.6 else None
    # Bones stay short of white, which is left to metal.
    side = int(rng.choice([-1, 1]))
    return develop(
        canvas.attenuation,
        rng,
        mark,
        side,
        collimation=0.4,
        headroom=(0.3, 0.6),
        exposure=(0.4, 0.8),
    )


def _aim(
    view: str, limb: Limb, rng: np.random.Generator
) -> tuple[tuple[float, float], float, list[str]]:
    """Middle of the film, its reach, and the bones that may carry a finding."""
    if view == 'HAND':
        names = [f'{finger}_{part}' for finger in FINGER_NAMES[1:] for part in (0, 1)]
        return (0.0, -0.9), rng.uniform(0.95, 1.1), names
    if view == 'FINGER':
        finger = str(rng.choice(FINGER_NAMES[1:]))
        middle = limb.bones[f'{finger}_2'].point(0.2)
        return middle, rng.uniform(0.42, 0.6), [f'{finger}_1', f'{finger}_2']
    if view == 'WRIST':
        return (0.0, 0.2), rng.uniform(0.75, 0.95), ['radius', 'ulna', 'middle_0']
    if view == 'FOREARM':
        middle = limb.elbow[0] / 2, limb.elbow[1] / 2
        return middle, rng.uniform(1.2, 1.5), ['radius', 'ulna']
    if view == 'ELBOW':
        return limb.elbow, rng.uniform(0.85, 1.1), ['humerus', 'radius', 'ulna']
    if view == 'HUMERUS':
        return limb.bones['humerus'].point(0.5), rng.uniform(1.5, 1.8), ['humerus']
    if view == 'SHOULDER':
        # A little inwards of the joint, so that the clavicle and the ribs show.
        inner = limb.bones['glenoid'].point(0.6)
        return inner, rng.uniform(1.0, 1.25), ['humerus', 'clavicle']
    known = ', '.join(VIEWS)
    raise ValueError(f"no film view '{view}': choose one of {known}")


def _choose_place(
    canvas: Canvas, limb: Limb, names: list[str], rng: np.random.Generator
) -> tuple[str, float]:
    """A bone and a place along it, well inside the film."""
    shares = np.linspace(0.16, 0.84, 18)
    size = np.array([canvas.width, canvas.height])
    for name in rng.permutation(names).tolist():
        points = [limb.bones[name].point(share) for share in shares.tolist()]
        places = canvas.to_pixels(points) / size
        seen = np.flatnonzero(((places > 0.13) & (places < 0.87)).all(1))
        if len(seen):
            return name, float(rng.choice(shares[seen]))
    return names[0], 0.5


def _draw_flesh(canvas: Canvas, flesh: list[Flesh], rng: np.random.Generator) -> None:
    layer = np.zeros_like(canvas.attenuation)
    for start, end, start_radius, end_radius in flesh:
        window = canvas.window([start, end], max(start_radius, end_radius))
        if window is None:
            continue
        dx, dy = np.float32(end[0] - start[0]), np.float32(end[1] - start[1])
        x, y = canvas.x[window] - np.float32(start[0]), canvas.y[window] - np.float32(start[1])
        along = np.clip((x * dx + y * dy) / (dx * dx + dy * dy), 0, 1)
        square = (x - along * dx) ** 2 + (y - along * dy) ** 2
        radius = np.float32(start_radius) + np.float32(end_radius - start_radius) * along
        depth = np.sqrt(np.maximum(radius**2 - square, 0))
        layer[window] = np.maximum(layer[window], depth)
    # Skin folds between the overlapping parts are rounded off.
    layer = cv2.GaussianBlur(layer, (0, 0), max(0.5, 0.03 / canvas.pixel))
    canvas.attenuation += layer * np.float32(rng.uniform(0.5, 1.0))


def _draw_pebble(
    canvas: Canvas,
    middle: tuple[float, float],
    radii: tuple[float, float],
    angle: float,
    density: float,
) -> None:
    window = canvas.window([middle], max(radii))
    if window is None:
        return
    radial = ellipse_radius(canvas.x[window], canvas.y[window], middle, radii, angle)
    outer = np.sqrt(np.maximum(1 - radial**2, 0))
    inner = np.sqrt(np.maximum(0.8 - radial**2, 0))
    texture = 1 + 0.22 * canvas.texture[window]
    thickness = outer - inner + 0.4 * inner * texture
    canvas.attenuation[window] += np.float32(2 * min(radii[0], 0.12) * density) * thickness


def _draw_ring(canvas: Canvas, bone: Bone) -> None:
    """A ring on a finger: metal that means nothing."""
    wide = 1.7 * bone.radius(0.35)
    band = Bone(
        bone.point(0.35, -wide),
        bone.point(0.35, wide),
        0.022,
        0.022,
        0.022,
        marrow=0.05,
        density=METAL * 0.8,
    )
    band.draw(canvas)

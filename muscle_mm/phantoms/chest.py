# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A frontal chest film."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from muscle_mm.phantoms.bone import Bone
from muscle_mm.phantoms.canvas import Canvas, ellipse_radius, rise
from muscle_mm.phantoms.chest_build import ChestBuild
from muscle_mm.phantoms.film import develop
from muscle_mm.phantoms.finding import Finding, FindingBox
from muscle_mm.phantoms.lung_findings import add_finding
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
    lungs = {side: _lung_depth(canvas, build, side, breath) for side in (-1, 1)}
    _draw_trunk(canvas, build, lungs, breath, rng)
    _draw_vessels(canvas, build, lungs, rng)
    _draw_spine(canvas, build, rng)
    _draw_ribs(canvas, build)
    _draw_shoulders(canvas, build, rng)
    boxes = [add_finding(canvas, lungs, finding, rng) for finding in findings]
    if rng.random() < 0.2:
        _draw_leads(canvas, rng)
    mark = str(rng.choice(['L', 'R', 'L AP', 'R PA'])) if rng.random() < 0.75 else None
    mark_side = 1 if mark and mark[0] == 'L' else -1
    pixels = develop(canvas.attenuation, rng, mark, mark_side, collimation=0.25)
    return ChestFilm(
        pixels, lungs[1] > 0, lungs[-1] > 0, tuple(box for box in boxes if box is not None)
    )


def _lung_depth(canvas: Canvas, build: ChestBuild, side: int, breath: float) -> np.ndarray:
    """Signed distance into one lung, roughly in body lengths."""
    x, y = canvas.x * side, canvas.y
    waist = np.float32(0.12)
    above = np.maximum(waist - y, 0) / np.float32(waist - build.top)
    outward = np.maximum(x, 0) / np.float32(build.width)
    wall = (1 - np.sqrt(outward**2 + above**2.3)) * np.float32(0.7)
    middle = x - np.float32(build.mediastinum) - np.float32(0.07) * rise(-0.42 - y, 0.25)
    dome = np.float32((build.left_dome if side > 0 else build.right_dome) + breath)
    floor = dome + np.float32(1.15) * (x - np.float32(0.3)) ** 2
    depth = np.minimum(np.minimum(wall, middle), (floor - y) * np.float32(0.8))
    heart = (_heart_radius(canvas, build, breath) - 1) * np.float32(0.26)
    return np.minimum(depth, heart)


def _heart_radius(canvas: Canvas, build: ChestBuild, breath: float) -> np.ndarray:
    centre = (0.11, 0.2 + 0.6 * breath)
    radii = (0.34 * build.heart, 0.24 * build.heart)
    return ellipse_radius(canvas.x, canvas.y, centre, radii, build.heart_tilt)


def _draw_trunk(
    canvas: Canvas,
    build: ChestBuild,
    lungs: dict[int, np.ndarray],
    breath: float,
    rng: np.random.Generator,
) -> None:
    x, y = canvas.x, canvas.y
    spread = np.abs(x)
    slope = np.float32(build.shoulder) + np.float32(0.3) * np.maximum(spread - 0.2, 0) ** 1.3
    trunk = np.maximum(y - slope, (0.2 - spread) * 0.8)
    trunk = np.minimum(trunk, (np.float32(build.width + 0.33) - spread) * 0.8)
    body = np.float32(build.body) * (1 - np.exp(-np.maximum(trunk, 0) / 0.16))
    # Thickest in the middle, and towards the belly.
    body *= 1.0 + 0.22 * np.exp(-((x / 0.45) ** 2)) + 0.18 * rise(y - 0.35, 0.5)
    canvas.attenuation += body
    for side, depth in lungs.items():
        air = 1 - np.exp(-np.maximum(depth, 0) / np.float32(0.06))
        veil = rng.uniform(0.62, 0.86)
        canvas.attenuation -= np.float32(build.body * veil) * air
        if build.breast:
            centre = (side * rng.uniform(0.4, 0.48), rng.uniform(0.2, 0.34))
            canvas.sphere(centre, (0.32, 0.28), build.breast)
    heart = _heart_radius(canvas, build, breath)
    canvas.attenuation += 0.22 * np.sqrt(np.maximum(1 - heart**2, 0))
    canvas.sphere((build.mediastinum * 0.75, -0.27), (0.1 * build.aorta, 0.12 * build.aorta), 0.28)
    # The liver under the right dome, the stomach bubble under the left one.
    canvas.sphere((-0.38, build.right_dome + breath + 0.42), (0.62, 0.44), 0.3)
    if rng.random() < 0.6:
        bubble = (rng.uniform(0.3, 0.45), build.left_dome + breath + rng.uniform(0.13, 0.2))
        canvas.sphere(bubble, (rng.uniform(0.08, 0.16), rng.uniform(0.04, 0.09)), -0.3)
    windpipe = np.exp(-(((x - 0.012) / 0.045) ** 4)) * rise(-0.26 - y, 0.1)
    canvas.attenuation -= np.float32(0.2) * windpipe * (trunk > 0)


def _draw_vessels(
    canvas: Canvas, build: ChestBuild, lungs: dict[int, np.ndarray], rng: np.random.Generator
) -> None:
    height, width = canvas.height, canvas.width
    layer = np.zeros((height, width), np.uint8)
    for side in (-1, 1):
        root = (side * (build.mediastinum + 0.03), -0.02 + 0.03 * side)
        canvas.sphere(root, (0.09, 0.15), 0.16 * build.vessels)
        for direction in np.linspace(-1.35, 1.35, 9) + rng.normal(0, 0.1, 9):
            _grow(canvas, layer, root, side, float(direction), 0.017, rng)
    layer_soft = cv2.GaussianBlur(layer, (0, 0), max(0.6, 0.005 / canvas.pixel))
    within = np.maximum(rise(lungs[-1], 0.04), rise(lungs[1], 0.04))
    canvas.attenuation += layer_soft * within * np.float32(0.24 * build.vessels / 255)


def _grow(
    canvas: Canvas,
    layer: np.ndarray,
    root: tuple[float, float],
    side: int,
    direction: float,
    radius: float,
    rng: np.random.Generator,
) -> None:
    """Draw a vessel and its branches, thinner and fainter outwards."""
    points = [root]
    steps = 5
    for step in range(steps):
        direction += rng.normal(0, 0.13)
        length = 0.085 * rng.uniform(0.8, 1.2)
        last = points[-1]
        points.append(
            (last[0] + side * length * np.cos(direction), last[1] + length * np.sin(direction))
        )
        if step and radius > 0.008:
            turn = rng.choice([-1, 1]) * rng.uniform(0.4, 0.8)
            _grow(canvas, layer, points[-1], side, direction + turn, radius * 0.55, rng)
    for step in range(steps):
        share = 1 - step / (steps + 1)
        ends = [
            tuple(round(16 * value) for value in _to_pixels(canvas, point))
            for point in points[step : step + 2]
        ]
        thickness = max(1, round(2 * radius * share / canvas.pixel))
        shade = int(255 * min(1.0, 0.45 + 40 * radius * share - 0.15))
        cv2.line(layer, ends[0], ends[1], shade, thickness, cv2.LINE_AA, 4)


def _to_pixels(canvas: Canvas, point: tuple[float, float]) -> tuple[float, float]:
    window = canvas.window([point], 0)
    if window is None:
        return -100.0, -100.0
    return (window[1].start + window[1].stop) / 2, (window[0].start + window[0].stop) / 2


def _draw_spine(canvas: Canvas, build: ChestBuild, rng: np.random.Generator) -> None:
    window = canvas.window([(-0.12, -1.6), (0.12, 1.6)], 0.03)
    if window is None:
        return
    x, y = canvas.x[window], canvas.y[window]
    bend = rng.normal(0, 0.012) * np.sin(y * 2.2 + rng.uniform(0, 6)).astype(np.float32)
    x = x - bend
    step = np.float32(0.108) * (1 + np.float32(0.12) * y)
    phase = y / step + np.float32(rng.random())
    within = phase - np.floor(phase) - np.float32(0.5)
    half = np.float32(0.072) + np.float32(0.02) * np.abs(within) * 2
    disc = rise(np.abs(within) - 0.4, 0.12)
    body = rise(half - np.abs(x), 0.02) * (1 - 0.75 * disc)
    rim = np.exp(-(((np.abs(x) - half + 0.006) / 0.009) ** 2)) * (1 - disc)
    plates = np.exp(-(((np.abs(within) - 0.37) / 0.05) ** 2)) * rise(half - np.abs(x), 0.02)
    pedicles = np.exp(-(((np.abs(x) - 0.05) / 0.014) ** 2) - ((within + 0.12) / 0.16) ** 2)
    spinous = np.exp(-((x / 0.012) ** 2) - ((within - 0.2) / 0.2) ** 2)
    texture = 1 + 0.12 * canvas.texture[window]
    bone = 0.2 * body * texture + 0.1 * rim + 0.09 * plates + 0.12 * pedicles + 0.12 * spinous
    canvas.attenuation[window] += np.float32(build.bone) * bone


def _draw_ribs(canvas: Canvas, build: ChestBuild) -> None:
    for index in range(11):
        back = build.top - 0.02 + index * build.rib_step
        drop = build.rib_slope * (0.55 + 0.06 * index)
        waist = 0.12
        above = max(waist - back - drop / 2, 0) / (waist - build.top + 0.06)
        reach = (build.width + 0.015) * float(np.sqrt(max(1 - above**2.3, 0.12)))
        if index > 8:
            reach *= 0.97
        radius = build.rib_radius * (1.0 if index else 0.85)
        middle, half = back + drop / 2, drop / 2
        window = canvas.window([(-reach, back), (reach, back + drop)], 2.2 * radius)
        if window is None:
            continue
        x, y = canvas.x[window], canvas.y[window]
        across, down = x / np.float32(reach), (y - np.float32(middle)) / np.float32(half)
        radial = np.sqrt(across**2 + down**2) + np.float32(1e-4)
        steep = np.sqrt((across / reach) ** 2 + (down / half) ** 2) / radial
        distance = (radial - 1) / steep
        front = rise(y - middle, 0.02)
        # Seen from its thin side at the flank, wider in front.
        half_height = np.float32(radius) * (1 + 0.25 * front - 0.3 * np.minimum(across**6, 1))
        inside = np.sqrt(np.maximum(1 - (distance / half_height) ** 2, 0))
        marrow = np.sqrt(np.maximum(0.6 - (distance / half_height) ** 2, 0))
        along_ray = np.minimum(1 / np.sqrt(np.maximum(1 - 0.9 * across**2, 0.1)), 2.2)
        cartilage = rise(np.abs(x) - np.float32(0.42 * reach + 0.01 * index), 0.1)
        fade = (1 - front) * rise(np.abs(x) - 0.06, 0.03) + 0.62 * front * cartilage
        matter = (inside - 0.55 * marrow) * along_ray * fade
        canvas.attenuation[window] += np.float32(0.27 * build.bone) * matter


def _draw_shoulders(canvas: Canvas, build: ChestBuild, rng: np.random.Generator) -> None:
    lift = rng.uniform(-0.06, 0.06)
    for side in (-1, 1):
        own_lift = lift + rng.normal(0, 0.02)
        clavicle = Bone(
            start=(side * 0.07, build.top + 0.17),
            end=(side * (build.width + 0.1), build.top - 0.02 - own_lift),
            shaft=0.024,
            start_radius=0.036,
            end_radius=0.03,
            bow=side * rng.uniform(-0.02, 0.05),
            density=4.2 * build.bone,
        )
        clavicle.draw(canvas)
        joint = (side * (build.width + 0.22), build.top + 0.08 - own_lift)
        # The scapula: a faint plate with a dense border, beside the ribs.
        tip = (side * (build.width - 0.02), build.top + 0.62 - own_lift)
        Bone(joint, tip, 0.075, 0.05, 0.03, 0.4, marrow=0.93, density=1.0 * build.bone).draw(canvas)
        canvas.sphere(joint, (0.085, 0.09), 0.3 * build.bone)
        elbow = (side * (build.width + 0.42), build.top + 1.2)
        Bone(joint, elbow, 0.05, 0.08, 0.06, density=3.2 * build.bone).draw(canvas)


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

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Changes inside the lungs: pneumonia, tuberculosis, nodules."""

from collections.abc import Callable

import numpy as np

from muscle_mm.phantoms.canvas import Canvas, ellipse_radius, rise
from muscle_mm.phantoms.finding import Finding, FindingBox
from muscle_mm.phantoms.noise import smooth_noise

Draw = Callable[[Canvas, np.ndarray, np.random.Generator, int], np.ndarray]


def add_finding(
    canvas: Canvas, lungs: dict[int, np.ndarray], finding: Finding, rng: np.random.Generator
) -> FindingBox | None:
    """Draw a finding into a lung.

    Args:
        canvas (Canvas): The film; its attenuation grows.
        lungs (dict[int, np.ndarray]): By side (-1, 1), (H, W) float32: how deep inside that lung a
            pixel lies, in body lengths, negative outside.
        finding (Finding): What to draw.
        rng (np.random.Generator): The source of randomness.

    Returns:
        FindingBox | None: The tight box around what shows, None where nothing does.
    """
    side = finding.side or int(rng.choice([-1, 1]))
    depth = lungs[side]
    added = KINDS[finding.kind](canvas, depth, rng, side) * np.float32(finding.strength)
    canvas.attenuation += added
    shows = np.abs(added) > 0.3 * np.abs(added).max(initial=1e-6)
    rows, columns = np.flatnonzero(shows.any(1)), np.flatnonzero(shows.any(0))
    if not len(rows):
        return None
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return FindingBox(finding.kind, box)


def _place(
    canvas: Canvas,
    depth: np.ndarray,
    rng: np.random.Generator,
    inside: float,
    heights: tuple[float, float] = (0, 1),
) -> tuple[float, float]:
    """Pick a body point inside a lung, between two shares of its height (0 is the tip)."""
    in_lung = depth > 0
    if not in_lung.any():
        return float(canvas.x.mean()), float(canvas.y.mean())
    tall = canvas.y[in_lung]
    top, bottom = float(tall.min()), float(tall.max())
    share = (canvas.y - top) / max(bottom - top, 1e-6)
    wanted = (share >= heights[0]) & (share <= heights[1]) & in_lung
    for least in (inside, inside / 2, 0.0):
        choice = np.flatnonzero(wanted & (depth > least))
        if len(choice):
            break
    else:
        choice = np.flatnonzero(in_lung)
    pixel = int(choice[int(rng.integers(len(choice)))])
    return float(canvas.x.flat[pixel]), float(canvas.y.flat[pixel])


def _patch(
    canvas: Canvas,
    depth: np.ndarray,
    rng: np.random.Generator,
    centre: tuple[float, float],
    radii: tuple[float, float],
    mottle: float,
    edge: float = 0.3,
) -> np.ndarray:
    """A cloudy patch that stays inside the lung, 0 to about 1."""
    shape = canvas.height, canvas.width
    reach = canvas.pose.reach
    radial = ellipse_radius(canvas.x, canvas.y, centre, radii, rng.uniform(0, np.pi))
    radial = radial + 0.22 * smooth_noise(rng, *shape, 6 / reach, 2)
    cloud = rise(1 - radial, edge) * rise(depth - 0.01, 0.03)
    return cloud * np.maximum(1 + mottle * smooth_noise(rng, *shape, 18 / reach, 2), 0.2)


def _consolidation(
    canvas: Canvas, depth: np.ndarray, rng: np.random.Generator, side: int
) -> np.ndarray:
    centre = _place(canvas, depth, rng, 0.08, (0.3, 0.95))
    radii = rng.uniform(0.12, 0.22), rng.uniform(0.12, 0.22)
    return _patch(canvas, depth, rng, centre, radii, 0.38) * np.float32(rng.uniform(0.36, 0.54))


def _interstitial(
    canvas: Canvas, depth: np.ndarray, rng: np.random.Generator, side: int
) -> np.ndarray:
    centre = _place(canvas, depth, rng, 0.08, (0.25, 0.85))
    radii = rng.uniform(0.18, 0.3), rng.uniform(0.2, 0.36)
    cloud = _patch(canvas, depth, rng, centre, radii, 0.0, 0.6)
    shape = canvas.height, canvas.width
    # Ridges of a random field make the net-like streaks of a viral pneumonia.
    net = 1 - np.abs(smooth_noise(rng, *shape, 16 / canvas.pose.reach, 2))
    return cloud * (np.clip(net, -0.3, 1) + 0.1) * np.float32(rng.uniform(0.28, 0.42))


def _infiltrate(
    canvas: Canvas, depth: np.ndarray, rng: np.random.Generator, side: int
) -> np.ndarray:
    centre = _place(canvas, depth, rng, 0.1, (0.08, 0.55))
    radii = rng.uniform(0.13, 0.24), rng.uniform(0.13, 0.24)
    cloud = _patch(canvas, depth, rng, centre, radii, 0.4, 0.35) * np.float32(rng.uniform(0.4, 0.6))
    if rng.random() < 0.4:
        size = rng.uniform(0.055, 0.09)
        radial = ellipse_radius(canvas.x, canvas.y, centre, (size, size * rng.uniform(0.8, 1.2)))
        inside = rise(depth - 0.01, 0.03)
        cloud = cloud * (1 - rise(1 - radial, 0.3))
        cloud = cloud + 0.4 * np.exp(-(((radial - 1.05) / 0.22) ** 2)) * inside
    return cloud.astype(np.float32)


def _calcified(
    canvas: Canvas, depth: np.ndarray, rng: np.random.Generator, side: int
) -> np.ndarray:
    centre = _place(canvas, depth, rng, 0.08, (0.06, 0.7))
    spread = rng.uniform(0.07, 0.13)
    added = np.zeros_like(canvas.attenuation)
    count = int(rng.integers(4, 8))
    turn = rng.uniform(0, 2 * np.pi)
    for index in range(count):
        angle = turn + index * 2.4
        out = spread * np.sqrt((index + 0.6) / count)
        point = (centre[0] + out * np.cos(angle), centre[1] + out * np.sin(angle))
        radius = rng.uniform(0.018, 0.032)
        window = canvas.window([point], 1.6 * radius)
        if window is not None:
            radial = ellipse_radius(canvas.x[window], canvas.y[window], point, (radius, radius))
            added[window] = np.maximum(added[window], rise(1 - radial, 0.5) * rng.uniform(0.6, 0.9))
    return added


def _nodule(canvas: Canvas, depth: np.ndarray, rng: np.random.Generator, side: int) -> np.ndarray:
    centre = _place(canvas, depth, rng, 0.06)
    radius = rng.uniform(0.04, 0.09)
    radial = ellipse_radius(canvas.x, canvas.y, centre, (radius, radius * rng.uniform(0.85, 1.15)))
    return (rise(1 - radial, 0.4) * rng.uniform(0.35, 0.5)).astype(np.float32)


def _effusion(canvas: Canvas, depth: np.ndarray, rng: np.random.Generator, side: int) -> np.ndarray:
    in_lung = depth > 0
    bottom = float(canvas.y[in_lung].max()) if in_lung.any() else 0.5
    level = bottom - rng.uniform(0.2, 0.4) - 0.25 * (np.abs(canvas.x) - 0.35)
    return (rise(canvas.y - level, 0.06) * rise(depth, 0.03) * 0.7).astype(np.float32)


KINDS: dict[str, Draw] = {
    'consolidation': _consolidation,
    'interstitial': _interstitial,
    'infiltrate': _infiltrate,
    'calcified': _calcified,
    'nodule': _nodule,
    'effusion': _effusion,
}
"""The kinds of lung finding by name."""

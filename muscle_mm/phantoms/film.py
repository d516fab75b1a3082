# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""From attenuation to a developed film: exposure, scatter, noise, collimation, side marks."""

import cv2
import numpy as np

from muscle_mm.phantoms.noise import smooth_noise


def develop(
    attenuation: np.ndarray,
    rng: np.random.Generator,
    mark: str | None = None,
    mark_side: int = 1,
    collimation: float = 0.3,
    headroom: tuple[float, float] = (-0.03, 0.2),
    exposure: tuple[float, float] = (0.75, 1.4),
) -> np.ndarray:
    """Expose and develop a film, bones bright on a dark ground.

    Exposure, contrast and shading vary far more than any finding does, so that a film's brightness
    says nothing about its label.

    Args:
        attenuation (np.ndarray): (H, W) float32, 0 in air.
        rng (np.random.Generator): The source of randomness.
        mark (str | None): Lead letters such as 'L' or 'R'. Default: None.
        mark_side (int): 1 puts the letters on the right of the film, -1 on the left. Default: 1.
        collimation (float): Chance of dark collimated borders. Default: 0.3.
        headroom (tuple[float, float]): Range of the brightness left above the densest parts, as a
            share of the film's own range; below 0 they are washed out. Default: (-0.03, 0.2).
        exposure (tuple[float, float]): Range of the factor on the attenuation; the higher it is,
            the less dense parts differ. Default: (0.75, 1.4).

    Returns:
        np.ndarray: (H, W) float32 in [0, 1].
    """
    height, width = attenuation.shape
    short = min(height, width)
    scatter = rng.uniform(0.05, 0.25)
    blurred = cv2.GaussianBlur(attenuation, (0, 0), short / 12)
    lost = (1 - scatter) * attenuation + scatter * blurred
    film = 1 - np.exp(-lost * np.float32(rng.uniform(*exposure)))
    low, high = np.percentile(film[::3, ::3], (1, 97.5))
    spread = max(float(high - low), 1e-3)
    low -= spread * rng.uniform(-0.04, 0.1)
    high += spread * rng.uniform(*headroom)
    film = np.clip((film - np.float32(low)) / np.float32(high - low), 0, 1)
    film = film ** np.float32(np.exp(rng.uniform(-0.5, 0.55)))
    # The heel effect: one side of the tube shines stronger than the other.
    direction, heel = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.22)
    across = np.linspace(-1, 1, width, dtype=np.float32)[None] * np.float32(np.cos(direction))
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(np.sin(direction))
    film = film * (1 + np.float32(heel) * (across + down))
    film = film * (1 + np.float32(0.03) * smooth_noise(rng, height, width, 3))
    film = cv2.GaussianBlur(film, (0, 0), rng.uniform(0.35, 0.85) * max(1, short / 256))
    # Fewer photons arrive behind dense matter, so the grain grows with brightness.
    grain = rng.standard_normal((height, width), np.float32)
    film = film + grain * np.float32(rng.uniform(0.006, 0.022)) * (0.5 + film)
    if rng.random() < collimation:
        film = _collimate(film, rng)
    if mark:
        _write_mark(film, mark, mark_side, rng)
    floor, ceiling = rng.uniform(0, 0.08), rng.uniform(0.85, 1)
    return np.clip(floor + (ceiling - floor) * film, 0, 1).astype(np.float32)


def _collimate(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = film.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    inset = rng.uniform(0, 0.07, (4, 2)) * (width, height)
    sign = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    field = np.zeros((height, width), np.float32)
    shape = np.round((corners + inset * sign) * 16).astype(np.int32)
    cv2.fillConvexPoly(field, shape, 1.0, cv2.LINE_AA, 4)
    return film * cv2.GaussianBlur(field, (0, 0), 0.8)


def _write_mark(film: np.ndarray, mark: str, side: int, rng: np.random.Generator) -> None:
    height, width = film.shape
    scale = min(height, width) / 256 * rng.uniform(0.45, 0.85)
    thickness = max(1, round(2 * scale))
    (across, down), _ = cv2.getTextSize(mark, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    inset = rng.uniform(0.02, 0.08) * width
    left = width - across - inset if side > 0 else inset
    bottom = rng.uniform(0.04, 0.25) * height + down
    layer = np.zeros((height, width), np.uint8)
    place = (int(left), int(bottom))
    cv2.putText(layer, mark, place, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thickness, cv2.LINE_AA)
    lead = layer.astype(np.float32) / 255 * np.float32(rng.uniform(0.7, 1))
    np.maximum(film, lead, out=film)

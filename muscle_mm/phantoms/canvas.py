# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The surface on which anatomy is drawn, in body coordinates."""

import math
from collections.abc import Sequence

import numpy as np

from muscle_mm.phantoms.noise import smooth_noise
from muscle_mm.phantoms.pose import Pose

Window = tuple[slice, slice]


class Canvas:
    """A film-sized grid of body coordinates with the attenuation gathered on it.

    The anatomy is given by formulas of the body coordinates, so that turning, moving and zooming
    change the coordinates and never resample a picture.

    Args:
        height (int): Rows of the film.
        width (int): Columns of the film.
        pose (Pose): How the body lies on the film.
        rng (np.random.Generator): The source of the warp and of the bone texture.
        warp (float): Largest smooth displacement of the anatomy, in body lengths. Default: 0.

    Attributes:
        x (np.ndarray): (height, width) float32, body coordinate to the right.
        y (np.ndarray): (height, width) float32, body coordinate downwards.
        pixel (float): Body length of one pixel.
        texture (np.ndarray): (height, width) float32, the spongy texture of bone.
        attenuation (np.ndarray): (height, width) float32, what the rays have lost.
    """

    def __init__(
        self, height: int, width: int, pose: Pose, rng: np.random.Generator, warp: float = 0.0
    ) -> None:
        self.height, self.width, self.pose, self.warp = height, width, pose, warp
        self.pixel = 2 * pose.reach / min(height, width)
        across = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) * self.pixel
        down = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) * self.pixel
        if pose.mirror:
            across = -across
        cosine, sine = math.cos(pose.angle), math.sin(pose.angle)
        self.x = (across * cosine)[None] + (down * sine)[:, None] + np.float32(pose.centre[0])
        self.y = (down * cosine)[:, None] - (across * sine)[None] + np.float32(pose.centre[1])
        if warp > 0:
            for axis in (self.x, self.y):
                bend = smooth_noise(rng, height, width, 2.0)
                axis += np.clip(bend / 2, -1, 1) * np.float32(warp)
        self.texture = smooth_noise(rng, height, width, 40.0 / pose.reach, 2)
        self.attenuation = np.zeros((height, width), np.float32)

    def to_pixels(self, points: Sequence[tuple[float, float]] | np.ndarray) -> np.ndarray:
        """Turn body points into film coordinates, the warp aside.

        Args:
            points (Sequence[tuple[float, float]] | np.ndarray): Body points (x, y).

        Returns:
            np.ndarray: (number, 2) float64, column and row of each.
        """
        cosine, sine = math.cos(self.pose.angle), math.sin(self.pose.angle)
        moved = np.asarray(points, np.float64) - self.pose.centre
        turned = moved @ np.array([[cosine, sine], [-sine, cosine]])
        if self.pose.mirror:
            turned[:, 0] *= -1
        return turned / self.pixel + (self.width / 2, self.height / 2)

    def window(self, points: Sequence[tuple[float, float]], margin: float) -> Window | None:
        """Find the part of the film where something can be seen.

        Args:
            points (Sequence[tuple[float, float]]): Body points (x, y) that span it.
            margin (float): Its greatest distance from the hull of these points.

        Returns:
            tuple[slice, slice] | None: Rows and columns, or None where it lies off the film.
        """
        places = self.to_pixels(points)
        columns, rows = places[:, 0].tolist(), places[:, 1].tolist()
        extra = (margin + self.warp) / self.pixel + 1
        top, bottom = max(0, int(min(rows) - extra)), min(self.height, int(max(rows) + extra) + 1)
        left, right = (
            max(0, int(min(columns) - extra)),
            min(self.width, int(max(columns) + extra) + 1),
        )
        if top >= bottom or left >= right:
            return None
        return slice(top, bottom), slice(left, right)

    def sphere(
        self,
        centre: tuple[float, float],
        radii: tuple[float, float],
        strength: float,
        angle: float = 0.0,
    ) -> None:
        """Add a ball of even matter, brightest in its middle.

        Args:
            centre (tuple[float, float]): Body point.
            radii (tuple[float, float]): Half axes along its own x and y.
            strength (float): Attenuation in the middle; negative for air.
            angle (float): Rotation in radians. Default: 0.
        """
        window = self.window([centre], max(radii))
        if window is None:
            return
        radial = ellipse_radius(self.x[window], self.y[window], centre, radii, angle)
        self.attenuation[window] += strength * np.sqrt(np.maximum(1 - radial**2, 0))


def ellipse_radius(
    x: np.ndarray,
    y: np.ndarray,
    centre: tuple[float, float],
    radii: tuple[float, float],
    angle: float = 0.0,
) -> np.ndarray:
    """Measure how far out points lie: 0 in the middle of an ellipse, 1 on its edge.

    Args:
        x (np.ndarray): Body coordinates to the right.
        y (np.ndarray): Body coordinates downwards, of the same shape.
        centre (tuple[float, float]): Middle of the ellipse.
        radii (tuple[float, float]): Half axes.
        angle (float): Rotation in radians. Default: 0.

    Returns:
        np.ndarray: float32 of the same shape.
    """
    cosine, sine = math.cos(angle), math.sin(angle)
    dx, dy = x - np.float32(centre[0]), y - np.float32(centre[1])
    along = (dx * cosine + dy * sine) / np.float32(radii[0])
    across = (dy * cosine - dx * sine) / np.float32(radii[1])
    return np.sqrt(along**2 + across**2)


def rise(values: np.ndarray, width: float) -> np.ndarray:
    """Go softly from 0 to 1 around zero.

    Args:
        values (np.ndarray): Signed distances.
        width (float): Length over which most of the step happens.

    Returns:
        np.ndarray: Values in [0, 1], of the same shape.
    """
    share = np.clip(values * np.float32(0.6 / width) + np.float32(0.5), 0, 1)
    return share * share * (3 - 2 * share)

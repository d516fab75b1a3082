# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A tubular bone: dense cortex around spongy marrow."""

import math
from dataclasses import dataclass

import numpy as np

from muscle_mm.phantoms.canvas import Canvas, rise
from muscle_mm.phantoms.fracture import Fracture


@dataclass(frozen=True)
class Bone:
    """A long bone seen from the side, from the finest phalanx to the humerus.

    Args:
        start (tuple[float, float]): Body point of one end.
        end (tuple[float, float]): Body point of the other end.
        shaft (float): Radius of the shaft.
        start_radius (float): Radius of the flare at the start.
        end_radius (float): Radius of the flare at the end.
        flare (float): Share of the length over which the flares shrink to the shaft. Default: 0.18.
        bow (float): Sideways bow in the middle, as a share of the length. Default: 0.
        marrow (float): Radius of the marrow in mid-shaft, as a share of the bone's. Default: 0.6.
        density (float): Attenuation of cortex over one body length. Default: 5.
        growth_plate (float): Depth of the dark growth plate near the start, 0 (grown) to 1.
            Default: 0.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    shaft: float
    start_radius: float
    end_radius: float
    flare: float = 0.18
    bow: float = 0.0
    marrow: float = 0.6
    density: float = 5.0
    growth_plate: float = 0.0

    @property
    def length(self) -> float:
        """float: Body length from end to end."""
        return math.dist(self.start, self.end)

    def point(self, along: float, across: float = 0.0) -> tuple[float, float]:
        """Turn the bone's own coordinates into body coordinates.

        Args:
            along (float): Position along the bone, 0 at its start and 1 at its end.
            across (float): Body length to the bone's left. Default: 0.

        Returns:
            tuple[float, float]: Body point (x, y).
        """
        ax = (self.end[0] - self.start[0]) / self.length
        ay = (self.end[1] - self.start[1]) / self.length
        across += self.bow * self.length * math.sin(math.pi * along)
        run = along * self.length
        return self.start[0] + ax * run - ay * across, self.start[1] + ay * run + ax * across

    def radius(self, along: float) -> float:
        """Give the radius at one place.

        Args:
            along (float): Position along the bone, 0 at its start and 1 at its end.

        Returns:
            float: Body length.
        """
        return float(self._radius(np.array([along], np.float32))[0])

    def draw(self, canvas: Canvas, fracture: Fracture | None = None) -> None:
        """Add the bone to a film.

        Args:
            canvas (Canvas): The film.
            fracture (Fracture | None): Its break, if it has one. Default: None.
        """
        widest = max(self.shaft, self.start_radius, self.end_radius)
        margin = widest + abs(self.bow) * self.length + (0.5 * self.length if fracture else 0)
        window = canvas.window([self.start, self.end], margin)
        if window is None:
            return
        x, y = canvas.x[window], canvas.y[window]
        texture = canvas.texture[window]
        along, across = self._own_coordinates(x, y)
        if fracture is None:
            canvas.attenuation[window] += self._thickness(along, across, texture)
            return
        radius = self.radius(fracture.place)
        soft = max(1.2 * canvas.pixel, 0.12 * radius)

        def past(along: np.ndarray, across: np.ndarray) -> np.ndarray:
            teeth = np.sin(across * np.float32(5 / radius) + np.float32(fracture.phase))
            line = fracture.slope * across + fracture.jag * radius * teeth
            return (along - np.float32(fracture.place)) * np.float32(self.length) - line

        half_gap = fracture.gap * radius / 2
        near = self._thickness(along, across, texture) * rise(-past(along, across) - half_gap, soft)
        # The far fragment is the same bone seen through coordinates moved back to where it was.
        cosine, sine = math.cos(fracture.bend), math.sin(fracture.bend)
        run = (along - np.float32(fracture.place)) * np.float32(self.length)
        side = across - np.float32(fracture.shift * radius)
        moved_along = (run * cosine + side * sine) / np.float32(self.length) + np.float32(
            fracture.place
        )
        moved_across = side * cosine - run * sine
        far = self._thickness(moved_along, moved_across, texture)
        far *= rise(past(moved_along, moved_across) - half_gap, soft)
        canvas.attenuation[window] += near + far
        if fracture.callus:
            run = (along - np.float32(fracture.place)) * np.float32(self.length / (1.8 * radius))
            side = (across - np.float32(0.5 * fracture.shift * radius)) / np.float32(2.1 * radius)
            cuff = np.sqrt(np.maximum(1 - side**2, 0)) * np.exp(-(run**2))
            cuff *= 1 + np.float32(0.3) * texture
            canvas.attenuation[window] += np.float32(self.density * radius * fracture.callus) * cuff

    def _own_coordinates(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ax = np.float32((self.end[0] - self.start[0]) / self.length)
        ay = np.float32((self.end[1] - self.start[1]) / self.length)
        dx, dy = x - np.float32(self.start[0]), y - np.float32(self.start[1])
        along = (dx * ax + dy * ay) / np.float32(self.length)
        across = dy * ax - dx * ay
        if self.bow:
            wave = np.sin(np.clip(along, 0, 1) * np.float32(math.pi))
            across = across - np.float32(self.bow * self.length) * wave
        return along, across

    def _radius(self, along: np.ndarray) -> np.ndarray:
        inside = np.clip(along, 0, 1)
        decay = np.float32(-2 / self.flare**2)
        radius = np.float32(self.shaft) + np.float32(self.start_radius - self.shaft) * np.exp(
            inside**2 * decay
        )
        radius += np.float32(self.end_radius - self.shaft) * np.exp((1 - inside) ** 2 * decay)
        for edge, cap in ((inside, self.start_radius), (1 - inside, self.end_radius)):
            # Rounded ends: about two thirds of a half circle.
            rounding = np.clip(edge * np.float32(self.length / (0.65 * cap)), 0, 1)
            radius = radius * np.sqrt(1 - (1 - rounding) ** 2)
        return radius

    def _thickness(self, along: np.ndarray, across: np.ndarray, texture: np.ndarray) -> np.ndarray:
        radius = self._radius(along)
        middle = np.clip(4 * along * (1 - along), 0, 1)
        inner_radius = radius * (np.float32(0.9) - np.float32(0.9 - self.marrow) * middle)
        outer = np.sqrt(np.maximum(radius**2 - across**2, 0))
        inner = np.sqrt(np.maximum(inner_radius**2 - across**2, 0))
        # Spongy bone is denser at the ends; the shaft holds mostly fat.
        spongy = np.float32(0.28) - np.float32(0.1) * middle
        matter = outer - inner + spongy * inner * (1 + np.float32(0.22) * texture)
        if self.growth_plate:
            plate = np.exp(-(((along - np.float32(0.13)) / np.float32(0.025)) ** 2))
            matter = matter * (1 - np.float32(self.growth_plate) * plate)
        return matter * np.float32(2 * self.density)

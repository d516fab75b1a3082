# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""How the body lies on the film."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pose:
    """Places body coordinates (x to the right, y downwards) on a film.

    Args:
        centre (tuple[float, float]): The body point in the middle of the film. Default: (0, 0).
        reach (float): Body length from the middle to the nearer edge of the film. Default: 1.
        angle (float): Rotation of the body on the film, in radians. Default: 0.
        mirror (bool): Whether left and right are swapped. Default: False.
    """

    centre: tuple[float, float] = (0.0, 0.0)
    reach: float = 1.0
    angle: float = 0.0
    mirror: bool = False

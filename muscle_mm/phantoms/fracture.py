# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A break in a bone."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fracture:
    """Where and how a bone is broken; lengths in units of the bone's own radius there.

    Args:
        place (float): Position along the bone, 0 at its start and 1 at its end.
        slope (float): Obliquity of the line: axial run for one unit across.
        gap (float): Width of the dark line.
        shift (float): Sideways step of the far fragment.
        bend (float): Angle of the far fragment, in radians.
        jag (float): Height of the teeth along the line.
        phase (float): Where the teeth begin, in radians.
        callus (float): Strength of the healing cuff around the line, 0 for a fresh break.
    """

    place: float
    slope: float
    gap: float
    shift: float
    bend: float
    jag: float
    phase: float
    callus: float

    @classmethod
    def draw(cls, rng: np.random.Generator, place: float) -> 'Fracture':
        """Draw a fracture at random.

        Args:
            rng (np.random.Generator): The source of randomness.
            place (float): Position along the bone, 0 at its start and 1 at its end.

        Returns:
            Fracture: A clearly visible break, from a mere line to a displaced one.
        """
        sign = rng.choice([-1.0, 1.0])
        return cls(
            place=place,
            slope=rng.uniform(-0.8, 0.8),
            gap=rng.uniform(0.5, 1.0),
            shift=sign * rng.uniform(0.5, 1.4),
            bend=-sign * rng.uniform(0.05, 0.4),
            jag=rng.uniform(0.05, 0.25),
            phase=rng.uniform(0, 6.28),
            callus=rng.uniform(0.35, 0.7) if rng.random() < 0.5 else 0.0,
        )

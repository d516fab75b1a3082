# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What stays the same on every chest film of one patient."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ChestBuild:
    """The build of one patient's chest; lengths where the half width of the film is about 1.

    Args:
        width (float): Half width of the rib cage.
        top (float): Height of the lung tips (negative is up).
        right_dome (float): Height of the right diaphragm dome at full breath.
        left_dome (float): Height of the left diaphragm dome at full breath.
        heart (float): Scale of the heart.
        heart_tilt (float): Rotation of the heart, in radians.
        mediastinum (float): Half width of the middle shadow.
        aorta (float): Scale of the aortic knob.
        body (float): Thickness of the soft tissue.
        shoulder (float): Height of the shoulders (negative is up).
        breast (float): Thickness of the breast shadows, 0 for none.
        bone (float): Density of the bones.
        rib_slope (float): How much lower the front end of a rib lies than its back end.
        rib_step (float): Distance between ribs.
        rib_radius (float): Half height of a rib.
        vessels (float): How clearly the lung vessels show.
    """

    width: float
    top: float
    right_dome: float
    left_dome: float
    heart: float
    heart_tilt: float
    mediastinum: float
    aorta: float
    body: float
    shoulder: float
    breast: float
    bone: float
    rib_slope: float
    rib_step: float
    rib_radius: float
    vessels: float

    @classmethod
    def draw(cls, rng: np.random.Generator, heart: float = 1.0) -> 'ChestBuild':
        """Draw a patient at random.

        Args:
            rng (np.random.Generator): The patient's source of randomness.
            heart (float): Factor on the size of the heart. Default: 1.

        Returns:
            ChestBuild: The patient.
        """
        right_dome = rng.uniform(0.34, 0.52)
        return cls(
            width=rng.uniform(0.64, 0.78),
            top=rng.uniform(-0.74, -0.62),
            right_dome=right_dome,
            left_dome=right_dome + rng.uniform(-0.01, 0.08),
            heart=heart * rng.uniform(0.85, 1.12),
            heart_tilt=rng.uniform(0.3, 0.75),
            mediastinum=rng.uniform(0.11, 0.155),
            aorta=rng.uniform(0.7, 1.15),
            body=rng.uniform(0.85, 1.35),
            shoulder=rng.uniform(-0.95, -0.8),
            breast=rng.uniform(0.1, 0.3) if rng.random() < 0.4 else 0.0,
            bone=rng.uniform(0.75, 1.25),
            rib_slope=rng.uniform(0.3, 0.46),
            rib_step=rng.uniform(0.112, 0.13),
            rib_radius=rng.uniform(0.021, 0.027),
            vessels=rng.uniform(0.6, 1.3),
        )

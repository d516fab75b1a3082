# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What stays the same on every limb film of one patient."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LimbBuild:
    """The build of one patient's arm; one body length is about ten centimetres.

    Args:
        maturity (float): 0 for an infant's skeleton, 1 for a grown one.
        stout (float): Factor on the thickness of bones.
        flesh (float): Factor on the thickness of soft tissue.
        density (float): Factor on the density of bones.
        spread (float): How far the fingers are spread.
        lengths (tuple[float, ...]): Factors on the lengths of the five fingers, thumb first.
    """

    maturity: float
    stout: float
    flesh: float
    density: float
    spread: float
    lengths: tuple[float, ...]

    @classmethod
    def draw(cls, rng: np.random.Generator, maturity: float | None = None) -> 'LimbBuild':
        """Draw a patient at random.

        Args:
            rng (np.random.Generator): The patient's source of randomness.
            maturity (float | None): Skeletal maturity; None draws mostly grown patients.
                Default: None.

        Returns:
            LimbBuild: The patient.
        """
        drawn = 1.0 if rng.random() < 0.75 else rng.uniform(0.4, 1)
        return cls(
            maturity=drawn if maturity is None else maturity,
            stout=rng.uniform(0.85, 1.2),
            flesh=rng.uniform(0.85, 1.25),
            density=rng.uniform(0.7, 1.3),
            spread=rng.uniform(0.6, 1.4),
            lengths=tuple(rng.uniform(0.93, 1.07, 5).tolist()),
        )

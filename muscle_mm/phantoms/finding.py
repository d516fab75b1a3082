# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A finding that is asked for, and where it was found to lie."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One kind of change.

    Args:
        kind (str): A key of ``muscle_mm.phantoms.lung_findings.KINDS``.
        strength (float): Factor on its attenuation. Default: 1.
        side (int): 1 or -1 for the lung on the right or left of the body's own x axis, 0 for
            either. Default: 0.
    """

    kind: str
    strength: float = 1.0
    side: int = 0


@dataclass(frozen=True)
class FindingBox:
    """The tight box around a finding on the film.

    Args:
        kind (str): The kind of the finding.
        box (tuple[int, int, int, int]): Pixel edges (left, top, right, bottom), end-exclusive.
    """

    kind: str
    box: tuple[int, int, int, int]

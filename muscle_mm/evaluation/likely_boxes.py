# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Which of a detector's boxes a reader is shown."""

from typing import NamedTuple

from mmengine.structures import InstanceData

#: A detector gives a hundred boxes a film; those of a lower score are not shown.
SCORE_THRESHOLD = 0.3


class LikelyBox(NamedTuple):
    """A predicted box.

    Args:
        score (float): Score, in [0, 1].
        label (int): Number of its class.
        corners (list[float]): ``[x1, y1, x2, y2]``, in pixels.
    """

    score: float
    label: int
    corners: list[float]


def likely_boxes(found: InstanceData, score_threshold: float = SCORE_THRESHOLD) -> list[LikelyBox]:
    """Choose the boxes that are shown, the most certain first.

    Args:
        found (InstanceData): ``pred_instances`` of mmdet.
        score_threshold (float): Boxes of a lower score are left out. Defaults to 0.3.

    Returns:
        list[LikelyBox]: The boxes.
    """
    likely = found[found.scores >= score_threshold]
    likely = likely[likely.scores.argsort(descending=True, stable=True)]
    return [
        LikelyBox(*box)
        for box in zip(
            likely.scores.tolist(), likely.labels.tolist(), likely.bboxes.tolist(), strict=True
        )
    ]

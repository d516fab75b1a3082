# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmengine.structures import InstanceData

from muscle_mm.evaluation.likely_boxes import likely_boxes


def found(scores):
    number = len(scores)
    return InstanceData(
        scores=torch.tensor(scores),
        labels=torch.arange(number),
        bboxes=torch.arange(4.0 * number).reshape(number, 4),
    )


def test_the_most_certain_box_first_and_the_threshold_itself_counts():
    boxes = likely_boxes(found([0.25, 0.125, 0.75]), score_threshold=0.25)
    assert [(box.label, box.score) for box in boxes] == [(2, 0.75), (0, 0.25)]
    assert boxes[0].corners == [8.0, 9.0, 10.0, 11.0]


def test_equal_scores_keep_the_models_order():
    boxes = likely_boxes(found([0.5] * 20))
    assert [box.label for box in boxes] == list(range(20))


def test_no_box():
    assert likely_boxes(found([0.125, 0.25])) == []
    assert likely_boxes(found([])) == []

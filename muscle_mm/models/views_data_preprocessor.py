# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Normalise the views of a contrastive batch on the device."""

from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from muscle_mm.models.grey_data_preprocessor import expand_grey
from muscle_mm.registry import MODELS


@MODELS.register_module()
class ViewsDataPreprocessor(BaseDataPreprocessor):
    """Move views to the device, normalise them there and expand them to three channels.

    Args:
        mean (float): Mean of the training images, on the 0-255 scale.
        std (float): Their standard deviation, on the 0-255 scale.
    """

    def __init__(self, mean: float, std: float) -> None:
        # Batches in pinned memory are copied while the device computes; others are not affected.
        super().__init__(non_blocking=True)
        self.register_buffer('mean', torch.tensor(float(mean)), persistent=False)
        self.register_buffer('std', torch.tensor(float(std)), persistent=False)
        self.mean: Tensor
        self.std: Tensor

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Prepare a batch.

        Args:
            data (dict[str, Any]): ``inputs``: list of views, each (N, 1, H, W) uint8 or N films
                (1, H, W); and what else the transform packed (the set's name).
            training (bool): Unused, part of mmengine's interface. Defaults to False.

        Returns:
            dict[str, Any]: The same with each view (N, 3, H, W) float32, normalised.
        """
        data = self.cast_data(data)
        views = []
        for view in data['inputs']:
            # mmengine's pseudo_collate leaves a view's films apart, default_collate stacks them.
            films = view if isinstance(view, Tensor) else torch.stack(tuple(view))
            # A new tensor of float32, even from uint8: the batch itself stays what it was.
            views.append(expand_grey((films - self.mean).div_(self.std)))
        return {**data, 'inputs': views}

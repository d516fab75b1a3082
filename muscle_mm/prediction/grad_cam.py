# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Where a classifier looks."""

from __future__ import annotations

from typing import Any

import torch

from muscle_mm.utils.errors import UserError


def grad_cam(model: Any, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Compute Grad-CAM at the last feature map of the backbone, through captum.

    Source: Selvaraju et al., Grad-CAM, ICCV 2017 (arXiv 1610.02391), equations 1 and 2.

    Args:
        model (nn.Module): Classifier of mmpretrain with a convolutional backbone.
        inputs (Tensor): What its data preprocessor gives, (N, 3, H, W) float32.
        labels (Tensor): The class to explain for each film, (N,) int64.

    Returns:
        Tensor: (N, h, w) float32, each film's map divided by its maximum, on the CPU; 0 where
        nothing speaks for the class.

    Raises:
        UserError: If captum is missing, or the backbone gives no feature map.
    """
    try:
        from captum.attr import LayerGradCam
    except ImportError as error:
        raise UserError(
            f'Grad-CAM needs the package captum, which cannot be imported ({error}). Install it: '
            '`pip install captum`, or leave the pictures out: --no-pictures.'
        ) from error

    def logits(images: torch.Tensor) -> torch.Tensor:
        return model(images, mode='tensor')

    # Without it a frozen backbone's features would have no gradient.
    inputs = inputs.detach().requires_grad_()
    maps = LayerGradCam(logits, model.backbone).attribute(
        inputs, target=labels, relu_attributions=True
    )
    # Backbones give a tuple, one entry a stage.
    last = maps[-1] if isinstance(maps, tuple) else maps
    if last.ndim != 4:
        raise UserError(
            f'Grad-CAM needs a feature map, and {type(model.backbone).__name__} gives features of '
            f'shape {tuple(last.shape)}. Leave the pictures out: --no-pictures.'
        )
    last = last.detach()[:, 0].float().cpu()
    return last / last.amax(dim=(1, 2), keepdim=True).clamp_min(torch.finfo(last.dtype).tiny)

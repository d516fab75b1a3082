# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Several random views of one radiograph, for contrastive learning."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from torchvision.transforms import v2

from muscle_mm.registry import TRANSFORMS

#: Standard deviations, in pixels of the view, from which the blur is drawn (as in MoCo v2).
_BLUR_SIGMA = (0.1, 2.0)


class _RandomBlur(torch.nn.Module):
    """Blur a (1, H, W) uint8 view with OpenCV, whose filter is separable; torchvision's is not.

    Args:
        probability (float): Chance of a blur.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, view: torch.Tensor) -> torch.Tensor:
        """Blur or pass on."""
        if torch.rand(()) >= self.probability:
            return view
        sigma = float(torch.empty(()).uniform_(*_BLUR_SIGMA))
        # (0, 0): OpenCV sizes the kernel by sigma.
        return torch.from_numpy(cv2.GaussianBlur(view[0].numpy(), (0, 0), sigma))[None]


@TRANSFORMS.register_module()
class XrayViews:
    """Cut random views out of a grey image.

    Crop and resize, rotate a little, flip, change brightness and contrast, blur, and optionally
    erase a rectangle. A radiograph has no colour, so there is no hue, saturation or grey-scale
    step, and one uint8 channel is all that is moved. The strengths are our choice. Every draw comes
    from torch's generator, which the data loader seeds in each worker.

    **Required keys:** ``img`` ((H, W), uint8); optional ``dataset`` (str).

    **Returned keys, and no others:** ``inputs`` (list of ``num_views`` tensors, (1, size, size),
    uint8) and ``dataset``.

    Args:
        size (int): Side of a view in pixels. Defaults to 224.
        num_views (int): Views of an image. Defaults to 2.
        crop_scale (tuple[float, float]): Fraction of the image's area that a crop covers. Defaults
            to (0.2, 1.0).
        rotation (float): Largest angle in degrees, to both sides. Defaults to 10.
        brightness (float): Largest relative change of brightness. Defaults to 0.4.
        contrast (float): Largest relative change of contrast. Defaults to 0.4.
        blur_probability (float): Chance of a Gaussian blur. Defaults to 0.5.
        flip_probability (float): Chance of a left-right flip. Defaults to 0.5.
        erase_probability (float): Chance that a rectangle is blackened. Defaults to 0.
    """

    def __init__(
        self,
        size: int = 224,
        num_views: int = 2,
        crop_scale: tuple[float, float] = (0.2, 1.0),
        rotation: float = 10,
        brightness: float = 0.4,
        contrast: float = 0.4,
        blur_probability: float = 0.5,
        flip_probability: float = 0.5,
        erase_probability: float = 0,
    ) -> None:
        if size < 1 or num_views < 1:
            raise ValueError(f'XrayViews: size={size} and num_views={num_views} must be positive.')
        if not 0 < crop_scale[0] <= crop_scale[1] <= 1:
            raise ValueError(
                f'XrayViews: crop_scale={crop_scale} must be two rising fractions in (0, 1].'
            )
        self.size = size
        self.num_views = num_views
        steps: list[torch.nn.Module] = [
            v2.RandomResizedCrop(size, scale=tuple(crop_scale), antialias=True)
        ]
        if rotation:
            steps.append(v2.RandomRotation(rotation, interpolation=v2.InterpolationMode.BILINEAR))
        if flip_probability:
            steps.append(v2.RandomHorizontalFlip(flip_probability))
        if brightness or contrast:
            steps.append(v2.ColorJitter(brightness=brightness, contrast=contrast))
        if blur_probability:
            steps.append(_RandomBlur(blur_probability))
        if erase_probability:
            steps.append(v2.RandomErasing(erase_probability))
        self.augment = v2.Compose(steps)

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Draw the views.

        Args:
            results (dict): A sample with ``img``, (H, W), uint8.

        Returns:
            dict: ``inputs`` and ``dataset`` alone, so that any collate function takes it.

        Raises:
            ValueError: If the image is not one grey channel of uint8.
        """
        image = results['img']
        if image.ndim != 2 or image.dtype != np.uint8:
            raise ValueError(
                f'XrayViews takes a grey uint8 image of shape (H, W), got {image.dtype} of shape '
                f"{image.shape}. Load it with type='muscle_mm.LoadXray'."
            )
        film = torch.from_numpy(np.ascontiguousarray(image))[None]
        views = [self.augment(film).contiguous() for _ in range(self.num_views)]
        return {'inputs': views, 'dataset': str(results.get('dataset', ''))}

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size}, num_views={self.num_views})'

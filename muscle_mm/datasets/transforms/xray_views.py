# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Several random views of one radiograph, for contrastive learning."""

from __future__ import annotations

import math
import random
from typing import Any

import cv2
import numpy as np
import torch

from muscle_mm.datasets.transforms.crop import draw_crop
from muscle_mm.datasets.transforms.film_pyramid import FilmPyramid
from muscle_mm.registry import TRANSFORMS
from muscle_mm.utils.errors import UserError

#: Standard deviations, in pixels of the view, from which the blur is drawn (as in MoCo v2).
_BLUR_SIGMA = (0.1, 2.0)
#: Fraction of the view that an erased rectangle covers, and logarithms of its ratio of width to
#: height (as in random erasing, Zhong et al. 2020).
_ERASED_AREA = (0.02, 0.33)
_ERASED_LOG_RATIO = (math.log(0.3), math.log(3.3))


@TRANSFORMS.register_module()
class XrayViews:
    """Cut random views out of a grey image.

    Crop, resize, rotate a little and flip in one pass; change brightness and contrast in another;
    blur, and optionally erase a rectangle. A radiograph has no colour, so there is no hue,
    saturation or grey-scale step, and one uint8 channel is all that is moved. The strengths are our
    choice. Where a rotated view leaves the film it is black, as air is on a film. Every draw comes
    from Python's generator (``random``), which the data loader seeds in each worker.

    **Required keys:** ``img`` ((H, W), uint8); optional ``dataset`` (str), ``img_path`` (str).

    **Returned keys, and no others:** ``inputs`` (list of ``num_views`` tensors, (1, size, size),
    uint8), ``dataset`` and ``img_path``.

    Args:
        size (int): Side of a view in pixels. Defaults to 224.
        num_views (int): Views of an image. Defaults to 2.
        crop_scale (tuple[float, float]): Fraction of the image's area that a crop covers. Defaults
            to (0.2, 1.0).
        rotation (float): Largest angle in degrees, to both sides. Defaults to 10.
        brightness (float): Largest relative change of brightness. Defaults to 0.4.
        contrast (float): Largest relative change of contrast, about the view's mean. Defaults to
            0.4.
        blur_probability (float): Chance of a Gaussian blur. Defaults to 0.5.
        flip_probability (float): Chance of a left-right flip. Defaults to 0.5.
        erase_probability (float): Chance that a rectangle is blackened. Defaults to 0.

    Raises:
        UserError: If an option is out of its range.
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
            raise UserError(f'XrayViews: size={size} and num_views={num_views} must be positive.')
        if len(crop_scale) != 2 or not 0 < crop_scale[0] <= crop_scale[1] <= 1:
            raise UserError(
                f'XrayViews: crop_scale={crop_scale} must be two rising fractions in (0, 1].'
            )
        for name, value, limit in (
            ('rotation', rotation, 180),
            ('brightness', brightness, 1),
            ('contrast', contrast, 1),
            ('blur_probability', blur_probability, 1),
            ('flip_probability', flip_probability, 1),
            ('erase_probability', erase_probability, 1),
        ):
            if not 0 <= value <= limit:
                raise UserError(f'XrayViews: {name}={value} must be from 0 to {limit}.')
        self.size = size
        self.num_views = num_views
        self.crop_scale = (float(crop_scale[0]), float(crop_scale[1]))
        self.rotation = rotation
        self.brightness = brightness
        self.contrast = contrast
        self.blur_probability = blur_probability
        self.flip_probability = flip_probability
        self.erase_probability = erase_probability

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Draw the views.

        Args:
            results (dict): A sample with ``img``, (H, W), uint8.

        Returns:
            dict: ``inputs``, ``dataset`` and ``img_path`` alone, so that any collate function takes
            it.

        Raises:
            UserError: If the image is not one grey channel of uint8.
        """
        image = results['img']
        if image.ndim != 2 or image.dtype != np.uint8 or image.size == 0:
            raise UserError(
                f'XrayViews takes a grey uint8 image of shape (H, W), got {image.dtype} of shape '
                f"{image.shape}. Load it with type='muscle_mm.LoadXray'."
            )
        pyramid = FilmPyramid(image)
        views = [self._view(pyramid, *image.shape) for _ in range(self.num_views)]
        return {
            'inputs': [torch.from_numpy(view)[None] for view in views],
            'dataset': str(results.get('dataset', '')),
            'img_path': str(results.get('img_path', '')),
        }

    def _view(self, pyramid: FilmPyramid, height: int, width: int) -> np.ndarray:
        """Draw one view, (size, size)."""
        crop = draw_crop(height, width, self.crop_scale, self.rotation, self.flip_probability)
        view = pyramid.cut(crop, self.size)
        if self.brightness or self.contrast:
            view = _change_intensity(
                view,
                brightness=random.uniform(1 - self.brightness, 1 + self.brightness),
                contrast=random.uniform(1 - self.contrast, 1 + self.contrast),
            )
        if random.random() < self.blur_probability:
            view = _blur(view, random.uniform(*_BLUR_SIGMA))
        if random.random() < self.erase_probability:
            _erase_rectangle(view)
        return view

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size}, num_views={self.num_views})'


def _change_intensity(view: np.ndarray, brightness: float, contrast: float) -> np.ndarray:
    """Stretch the grey values about the view's mean, then multiply them, in one pass."""
    mean = cv2.mean(view)[0]
    # Rounds and clips at 0 and 255. The weight of the second image is 0.
    shift = brightness * (1 - contrast) * mean
    return cv2.addWeighted(view, brightness * contrast, view, 0, shift)


def _blur(view: np.ndarray, sigma: float) -> np.ndarray:
    """Blur with a Gaussian that ends at three standard deviations; edges are mirrored.

    For uint8, ``cv2.GaussianBlur`` calculates with more digits than a pixel has, which takes up to
    three times as long; a kernel of float64 would take half as long again.
    """
    kernel = cv2.getGaussianKernel(2 * round(3 * sigma) + 1, sigma, cv2.CV_32F)
    return cv2.sepFilter2D(view, -1, kernel, kernel)


def _erase_rectangle(view: np.ndarray) -> None:
    """Blacken a random rectangle of a view in place."""
    size = len(view)
    area = size * size * random.uniform(*_ERASED_AREA)
    ratio = math.exp(random.uniform(*_ERASED_LOG_RATIO))
    width, height = (min(size, round(math.sqrt(area * value))) for value in (ratio, 1 / ratio))
    left, top = random.randint(0, size - width), random.randint(0, size - height)
    view[top : top + height, left : left + width] = 0

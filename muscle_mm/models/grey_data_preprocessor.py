# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""From one grey channel of uint8 to what a toolbox's backbone takes."""

from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from muscle_mm.registry import MODELS


def expand_grey(image: Tensor) -> Tensor:
    """Show one grey channel three times, without copying it.

    Args:
        image (Tensor): (..., 1, H, W) or (..., 3, H, W), any dtype.

    Returns:
        Tensor: (..., 3, H, W), a view where the input had one channel.
    """
    if image.size(-3) == 3:
        return image
    return image.expand(*image.shape[:-3], 3, *image.shape[-2:])


def unexpand_grey(image: Tensor) -> Tensor:
    """Undo :func:`expand_grey`, so that one channel is moved, sorted or cast in place of three.

    Args:
        image (Tensor): (..., C, H, W), any dtype.

    Returns:
        Tensor: (..., 1, H, W) where the channels are one in memory, else the image itself.
    """
    return image[..., :1, :, :] if image.stride(-3) == 0 else image


@MODELS.register_module()
class GreyDataPreprocessor(BaseDataPreprocessor):
    """Expand grey radiographs on the device, then run a toolbox's own data preprocessor.

    A sample stays one channel of uint8 through the workers and the copy to the device: three float
    channels would be twelve times the bytes.

    Args:
        preprocessor (dict): Config of the toolbox's data preprocessor, for example
            ``dict(type='mmseg.SegDataPreProcessor', mean=[...], std=[...], size=(512, 512))``. Mean
            and standard deviation have three (equal) values, on the 0-255 scale.
        **kwargs: What a model adds to the config of its preprocessor by itself, as mmpretrain's
            classifier does with ``batch_augments``; handed on.
    """

    def __init__(self, preprocessor: dict[str, Any], **kwargs: Any) -> None:
        # Labels are copied one by one: without this, each copy waits for the device.
        super().__init__(non_blocking=True)
        self.preprocessor = MODELS.build({**kwargs, **preprocessor})
        self._takes_batches = type(self.preprocessor).__module__.startswith('mmpretrain.')

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Move, expand and normalise a batch.

        Args:
            data (dict[str, Any]): ``inputs``: (N, 1, H, W) uint8, or a list of (1, H, W); and
                ``data_samples``.
            training (bool): Whether the batch is for training. Defaults to False.

        Returns:
            dict[str, Any]: What the toolbox's preprocessor returns: ``inputs`` (N, 3, H, W) float32
            and ``data_samples``.
        """
        listed = not isinstance(data['inputs'], Tensor)
        if listed and len({image.shape for image in data['inputs']}) == 1:
            # One copy in place of one for each film. mmpretrain goes on with the batch as a whole.
            data = {**data, 'inputs': torch.stack(tuple(data['inputs']))}
            listed = not self._takes_batches
        data = self.cast_data(data)
        images = data['inputs']
        inputs = [expand_grey(image) for image in images] if listed else expand_grey(images)
        return self.preprocessor({**data, 'inputs': inputs}, training)

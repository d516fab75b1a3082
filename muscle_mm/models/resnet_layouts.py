# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Whose ResNet an exported backbone is for."""

from typing import Any

from torch import nn

from muscle_mm.utils.errors import UserError
from muscle_mm.utils.toolbox import require_toolbox

#: All of them call a ResNet's weights alike; this is not so for their other backbones, nor for
#: mmseg's ResNetV1c and ResNetV1d, whose stem has three convolutions.
LAYOUTS = ('mmpretrain', 'mmseg', 'mmdet', 'torchvision', 'timm')


def build_resnet(layout: str, depth: int) -> nn.Module:
    """Build the ResNet of a library, without a classifier and with random weights.

    Args:
        layout (str): One of ``LAYOUTS``.
        depth (int): 18, 34, 50, 101 or 152.

    Returns:
        nn.Module: The backbone; from (N, 3, H, W) to its features.

    Raises:
        UserError: If the library is not installed.
    """
    if layout == 'torchvision':
        import torchvision

        network: Any = getattr(torchvision.models, f'resnet{depth}')()
        network.fc = nn.Identity()
        return network
    if layout == 'timm':
        try:
            import timm
        except ImportError as error:
            raise UserError(
                'the layout timm needs the package timm: `pip install timm`. Its ResNets take a '
                'file of the layout torchvision as well.'
            ) from error
        return timm.create_model(f'resnet{depth}', num_classes=0)
    from mmengine.registry import MODELS

    require_toolbox(layout, needed_by=f'the layout {layout}')
    return MODELS.build(dict(type=f'{layout}.ResNet', depth=depth))

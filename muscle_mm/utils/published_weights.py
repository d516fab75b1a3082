# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""ImageNet weights as torchvision publishes them."""

from pathlib import Path

from muscle_mm.utils.errors import UserError
from muscle_mm.utils.file_digest import file_sha256

#: Begins the name of published weights, as in OpenMMLab's configs: ``torchvision://resnet18``.
PREFIX = 'torchvision://'


def published_file(name: str) -> Path:
    """Say where torch.hub keeps a network's published weights, whether they are there or not.

    Args:
        name (str): Name of the network in torchvision, for example ``'resnet18'``. Its weights are
            those called ``IMAGENET1K_V1``.

    Returns:
        Path: The file in torch.hub's cache, which ``TORCH_HOME`` moves.

    Raises:
        UserError: If torchvision is missing, or has no such network or weights.
    """
    import torch

    return Path(torch.hub.get_dir()) / 'checkpoints' / _address_of(name).rpartition('/')[2]


def published_weights(name: str) -> Path:
    """Find a network's published weights, and download them if they are not there.

    The hash in the file's name is checked, also that of a file which was there.

    Args:
        name (str): Name of the network in torchvision, for example ``'resnet18'``.

    Returns:
        Path: The complete file in torch.hub's cache.

    Raises:
        UserError: If it is not there and cannot be downloaded, or is not the published one.
    """
    import torch

    path, address = published_file(name), _address_of(name)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(address, str(path), _hash_in(path.name))
        except (OSError, RuntimeError) as error:
            raise UserError(
                f'{PREFIX}{name}: {path} does not exist, and cannot be downloaded ({error}). '
                f'Download {address} elsewhere, and put the file there (TORCH_HOME=DIR looks in '
                'DIR/hub/checkpoints), or name it: '
                '--cfg-options model.backbone.init_cfg.checkpoint=PATH.'
            ) from error
    if not file_sha256(path).startswith(_hash_in(path.name)):
        raise UserError(
            f'{PREFIX}{name}: {path} is damaged, or is not the published file: its SHA-256 does '
            f'not begin with {_hash_in(path.name)}. Delete it, and get {address} again.'
        )
    return path


def _address_of(name: str) -> str:
    """Ask torchvision where the weights are published."""
    try:
        from torchvision.models import get_model_weights
    except ImportError as error:
        raise UserError(f'{PREFIX}{name} needs the package torchvision.') from error
    try:
        return get_model_weights(name)['IMAGENET1K_V1'].url
    except (KeyError, ValueError) as error:
        raise UserError(
            f'{PREFIX}{name}: torchvision has no ImageNet weights (IMAGENET1K_V1) of this name.'
        ) from error


def _hash_in(file_name: str) -> str:
    """Take the first digits of the SHA-256 from a name such as ``resnet18-f37072fd.pth``."""
    return Path(file_name).stem.rpartition('-')[2]

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Features of films from a backbone that goes on training afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from muscle_mm.models.grey_data_preprocessor import expand_grey
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.random_state import unchanged_random_state


def extract_features(
    backbone: nn.Module,
    films: Dataset,
    mean: float,
    std: float,
    batch_size: int = 64,
    num_workers: int = 0,
) -> np.ndarray:
    """Average the last feature map of every film.

    The backbone runs in evaluation mode and without gradients. Afterwards nothing shows that it
    did: running statistics, training modes and random generators are as they were.

    Args:
        backbone (nn.Module): From (N, 3, H, W) to a feature map (N, D, h, w), to vectors (N, D), or
            to a tuple of which the last one counts.
        films (Dataset): Its samples begin with a (1, H, W) uint8 tensor.
        mean (float): Mean of the training images, on the 0-255 scale.
        std (float): Their standard deviation, on the 0-255 scale.
        batch_size (int): Films of a batch. Defaults to 64.
        num_workers (int): Processes that load films. Defaults to 0: none.

    Returns:
        np.ndarray: (number of films, D) float32.

    Raises:
        UserError: If features are not finite, or the backbone gives something else.
    """
    device = next(backbone.parameters()).device
    loader: Any = DataLoader(films, batch_size=batch_size, num_workers=num_workers)
    with unchanged_random_state(device), _evaluation_mode(backbone), torch.no_grad():
        # forward, not a call: neither does torch.compile start anew for these batches, nor does a
        # hook see them that waits for the training's.
        features = torch.cat(
            [
                _pool(backbone.forward(expand_grey((batch[0].to(device).float() - mean) / std)))
                for batch in loader
            ]
        )
    if not features.isfinite().all():
        broken = int((~features.isfinite().all(dim=1)).sum())
        raise UserError(
            f'the features of {broken} of {len(features)} films are not finite: the training has '
            'diverged. Lower optim_wrapper.optimizer.lr.'
        )
    return features.numpy()


def _pool(output: Any) -> Tensor:
    """Take one vector a film out of what a backbone returns, on the CPU."""
    last = output[-1] if isinstance(output, (tuple, list)) else output
    if not isinstance(last, Tensor) or last.ndim not in (2, 4):
        raise UserError(
            'the backbone must return feature maps (N, D, h, w) or vectors (N, D), got '
            f'{tuple(last.shape) if isinstance(last, Tensor) else type(last).__name__}.'
        )
    return (last.mean(dim=(2, 3)) if last.ndim == 4 else last).float().cpu()


@contextmanager
def _evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Switch a model to evaluation, and each of its modules back to the mode that it had."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        yield
    finally:
        # Not model.train(): parts of a backbone may be frozen, and stay in evaluation mode.
        for module, mode in modes:
            module.training = mode

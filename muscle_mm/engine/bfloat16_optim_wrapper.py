# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Mixed precision that needs no GPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmengine.runner.amp import autocast
from torch import nn

from muscle_mm.registry import OPTIM_WRAPPERS
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.toolbox import detector_in


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Computes the loss under torch's autocast in bfloat16, on a GPU or on processors alone.

    mmengine's ``AmpOptimWrapper`` refuses to run without a GPU. bfloat16 has the range of float32,
    so there is no loss scaling either: weights, gradients of weights and the optimizer stay
    float32. For float16 use ``AmpOptimWrapper``, which scales. Use it as
    ``optim_wrapper=dict(type='muscle_mm.BFloat16OptimWrapper', optimizer=...)``; its arguments are
    those of mmengine's ``OptimWrapper``.

    Not for mmdet's detectors: mmcv's RoIAlign has no bfloat16, and mmdet makes its anchors in the
    type of the features, whose eight bits would round a corner at 300 pixels to an even number.

    Raises:
        UserError: While training, if there is a detector in the model.
    """

    _checked: nn.Module | None = None

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Add autocast to what ``OptimWrapper`` does around the forward pass.

        Args:
            model (nn.Module): The model.

        Yields:
            None: Inside both contexts.
        """
        if model is not self._checked:
            detector = detector_in(model)
            if detector is not None:
                raise UserError(
                    f'BFloat16OptimWrapper cannot train {detector} of mmdet, whose operators have '
                    'no bfloat16. Use optim_wrapper.type=AmpOptimWrapper (float16, on a GPU) or '
                    'optim_wrapper.type=OptimWrapper (float32).'
                )
            self._checked = model
        with super().optim_context(model), autocast(dtype=torch.bfloat16):
            yield

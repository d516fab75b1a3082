# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Mixed precision that needs no GPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmengine.runner.amp import autocast
from torch import nn

from muscle_mm.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Computes the loss under torch's autocast in bfloat16, on a GPU or on processors alone.

    mmengine's ``AmpOptimWrapper`` refuses to run without a GPU. bfloat16 has the range of float32,
    so there is no loss scaling either: weights, gradients of weights and the optimizer stay
    float32. For float16 use ``AmpOptimWrapper``, which scales. Use it as
    ``optim_wrapper=dict(type='muscle_mm.BFloat16OptimWrapper', optimizer=...)``; its arguments are
    those of mmengine's ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Add autocast to what ``OptimWrapper`` does around the forward pass.

        Args:
            model (nn.Module): The model.

        Yields:
            None: Inside both contexts.
        """
        with super().optim_context(model), autocast(dtype=torch.bfloat16):
            yield

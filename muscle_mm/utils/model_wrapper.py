# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The model inside a distributed wrapper."""

from typing import Any

from mmengine.model import is_model_wrapper
from torch import nn


def unwrap_model(model: nn.Module) -> Any:
    """Take a model out of mmengine's distributed wrapper, if it is in one.

    Args:
        model (nn.Module): A runner's model.

    Returns:
        Any: The model itself.
    """
    return model.module if is_model_wrapper(model) else model

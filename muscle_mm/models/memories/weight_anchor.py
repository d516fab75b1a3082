# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Cross-task memory by an anchor on the weights."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from muscle_mm.models.memories.cross_task_memory import CrossTaskMemory
from muscle_mm.registry import MODELS


@MODELS.register_module()
class WeightAnchor(CrossTaskMemory):
    """Half the squared distance between the shared weights and those of the last visit's end.

    Source: Li et al., "Explicit Inductive Bias for Transfer Learning" (L2-SP), ICML 2018, equation
    5. Its use as MUSCLE's memory is our choice.

    Args:
        weight (float): Factor of the distance in the loss. Defaults to 0.01.
    """

    def __init__(self, weight: float = 0.01) -> None:
        super().__init__(weight)
        self._backbone: tuple[nn.Module, ...] = ()

    def attach(self, shared: nn.Module, variants: Mapping[str, nn.Module]) -> None:
        """Get to know the shared weights.

        Args:
            shared (nn.Module): The backbone that is remembered.
            variants (Mapping[str, nn.Module]): Unused.
        """
        # In a tuple, so that the backbone is not registered as a part of the memory.
        self._backbone = (shared,)
        for name, parameter in shared.named_parameters():
            # A buffer's name must not hold a dot.
            self.register_buffer(name.replace('.', '/'), torch.zeros_like(parameter))

    @torch.no_grad()
    def remember(self) -> None:
        """Copy the shared weights into the anchor."""
        for name, parameter in self._backbone[0].named_parameters():
            self.get_buffer_of(name).copy_(parameter)
        self._note_remembered()

    def get_buffer_of(self, parameter_name: str) -> Tensor:
        """Find a parameter's anchor.

        Args:
            parameter_name (str): Name of the parameter in the backbone.

        Returns:
            Tensor: Its remembered value.
        """
        return self.get_buffer(parameter_name.replace('.', '/'))

    def loss(self, task: str) -> Tensor:
        """Weighted distance of the weights.

        Args:
            task (str): Unused: the weights are the same in every task.

        Returns:
            Tensor: Scalar.
        """
        distances = [
            (parameter - self.get_buffer_of(name)).square().sum()
            for name, parameter in self._backbone[0].named_parameters()
            if parameter.requires_grad
        ]
        return self.weight * 0.5 * torch.stack(distances).sum()

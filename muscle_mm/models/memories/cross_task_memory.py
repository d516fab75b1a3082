# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What every cross-task memory has in common."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn


class CrossTaskMemory(BaseModule):
    """Keeps the shared backbone near what earlier visits taught it.

    At the end of a visit :meth:`remember` is called; from then on each training step adds
    ``weight x distance`` to its loss. The paper names a cross-task memory without defining it
    (MUSCLE, MICCAI 2022, section 2): the forms here are our choice.

    Args:
        weight (float): Factor of the distance in the loss. Defaults to 1.0.

    Raises:
        ValueError: If the weight is negative.
    """

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        if weight < 0:
            raise ValueError(f'memory.weight={weight}: must not be negative.')
        self.weight = weight
        # A buffer, so that a resumed run knows whether there is something to remember.
        self.register_buffer('remembered', torch.zeros((), dtype=torch.bool))
        self.remembered: Tensor
        # The same for the program: reading a buffer would wait for a GPU at every step.
        self._has_remembered = False
        self._register_load_state_dict_pre_hook(self._read_remembered)

    def _read_remembered(self, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
        self._has_remembered = bool(state_dict.get(f'{prefix}remembered', self._has_remembered))

    def _note_remembered(self) -> None:
        """At the end of :meth:`remember`: from now on there is something to compare with."""
        self.remembered.fill_(True)
        self._has_remembered = True

    def forget(self) -> None:
        """Begin again, with nothing remembered."""
        self.remembered.fill_(False)
        self._has_remembered = False

    @property
    def ready(self) -> bool:
        """bool: Whether something is remembered and counts."""
        return self.weight > 0 and self._has_remembered

    @abstractmethod
    def attach(self, shared: nn.Module, variants: Mapping[str, nn.Module]) -> None:
        """Get to know the backbones, which share their weights.

        Args:
            shared (nn.Module): The backbone that is remembered.
            variants (Mapping[str, nn.Module]): Each task's backbone, in its own geometry.
        """

    @abstractmethod
    def remember(self) -> None:
        """Remember the shared backbone as it is now."""

    @abstractmethod
    def loss(self, task: str) -> Tensor:
        """Weighted distance between the backbone and what is remembered.

        Args:
            task (str): Task of the current batch.

        Returns:
            Tensor: A scalar with gradient towards the shared backbone.
        """

    @contextmanager
    def watch(self, task: str) -> Iterator[None]:
        """See the backbone's input and output while a task's loss is computed.

        Args:
            task (str): Task of the current batch.

        Yields:
            None: Nothing; the base class does not look.
        """
        yield

    def before_backward(self, losses: Mapping[str, Any]) -> None:
        """See a task's losses, before their backward pass.

        Args:
            losses (Mapping[str, Any]): The task's losses, by name; the base class does not look.
        """

    def after_step(self) -> None:
        """Follow the backbone after an optimizer step, for memories that move."""

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
        self._counts: dict[str, int] = {}
        self._register_load_state_dict_pre_hook(self._read_counts)
        self._keep_count('remembered', False)

    def _keep_count(self, name: str, value: int) -> None:
        """Set a number that a resumed run has to know: a buffer, and the same for the program.

        Reading the buffer would wait for a GPU at every step.

        Args:
            name (str): Name of the buffer, which is made at the first call.
            value (int): The number, or a truth value.
        """
        if name in self._counts:
            self.get_buffer(name).fill_(value)
        else:
            self.register_buffer(name, torch.tensor(value))
        self._counts[name] = value

    def _read_counts(self, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
        for name, value in self._counts.items():
            self._counts[name] = int(state_dict.get(f'{prefix}{name}', value))

    def _note_remembered(self) -> None:
        """At the end of :meth:`remember`: from now on there is something to compare with."""
        self._keep_count('remembered', True)

    def forget(self) -> None:
        """Begin again, with nothing remembered."""
        self._keep_count('remembered', False)

    @property
    def _has_remembered(self) -> bool:
        return bool(self._counts['remembered'])

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

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Cross-task memory by an anchor on the weights."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from mmengine.dist import all_reduce
from torch import Tensor, nn

from muscle_mm.models.memories.cross_task_memory import CrossTaskMemory
from muscle_mm.registry import MODELS
from muscle_mm.utils.errors import UserError

IMPORTANCES = ('none', 'fisher')


@MODELS.register_module()
class WeightAnchor(CrossTaskMemory):
    r"""Half the squared distance between the shared weights and those of the last visit's end.

    With ``importance='none'`` all weights count alike. Source: Li et al., "Explicit Inductive Bias
    for Transfer Learning" (L2-SP), ICML 2018, equation 5. Its use as MUSCLE's memory is our choice.

    With ``importance='fisher'`` each weight's squared distance is multiplied by its importance for
    the earlier visits, the diagonal of the Fisher information. Sources: Kirkpatrick et al. (EWC),
    PNAS 2017, equation 3; Schwarz et al., "Progress & Compress" (online EWC), ICML 2018, section
    3.2: one anchor, and an importance that decays as it is added to, :math:`I \leftarrow \gamma I +
    F`. Our choices:

    - :math:`F` is the mean of the squared gradients of the task's loss over the steps of the visit,
      taken from the backward pass that is run anyway. The gradient of a batch stands for those of
      its samples (van de Ven, arXiv 2502.11756, calls it BATCHED), and the weights move during a
      visit.
    - Only its proportions matter: each visit's :math:`F` is divided by its mean over all weights,
      so that tasks with large losses do not outweigh the others, and ``weight`` means the same as
      without importance. A few weights have thousands of times the mean: plain SGD is stable as
      long as learning rate x ``weight`` x the largest importance stays below 2.

    The memory's own gradient is not counted. Gradient accumulation and loss scaling are divided
    out, gradient clipping comes later; with several processes :math:`F` is their mean.

    Args:
        weight (float): Factor of the distance in the loss. Defaults to 0.01.
        importance (str): ``'none'`` or ``'fisher'``. Defaults to ``'none'``.
        decay (float): Share :math:`\gamma` of its importance that a weight keeps at the end of a
            visit, in [0, 1]; without effect on ``'none'``. Defaults to 0.9, our choice.

    Raises:
        UserError: If ``importance`` is neither of the two.
        ValueError: If weight or decay are out of range.
    """

    def __init__(self, weight: float = 0.01, importance: str = 'none', decay: float = 0.9) -> None:
        super().__init__(weight)
        if importance not in IMPORTANCES:
            raise UserError(
                f'memory.importance={importance!r}: must be one of '
                f'{", ".join(map(repr, IMPORTANCES))}.'
            )
        if not 0 <= decay <= 1:
            raise ValueError(f'memory.decay={decay}: must be between 0 and 1.')
        self.uses_importance = importance == 'fisher'
        self.decay = decay
        self._backbone: tuple[nn.Module, ...] = ()
        #: What one unit of the loss weighs in this backward pass; None where nothing is counted.
        self._loss_scale: Tensor | None = None
        self._own_gradients: dict[str, Tensor] = {}
        if self.uses_importance:
            self.register_buffer('steps', torch.zeros((), dtype=torch.long))
            self.steps: Tensor

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
        if not self.uses_importance:
            return
        for name, parameter in self._trained():
            for kind in ('importance', 'squares'):
                buffer = torch.zeros_like(parameter)
                self.register_buffer(f'{kind}/{name.replace(".", "/")}', buffer)
            parameter.register_hook(partial(self._count, name))

    def _trained(self) -> list[tuple[str, nn.Parameter]]:
        """list[tuple[str, nn.Parameter]]: The shared weights that train, with their names."""
        parameters = self._backbone[0].named_parameters()
        return [(name, parameter) for name, parameter in parameters if parameter.requires_grad]

    def get_buffer_of(self, parameter_name: str, kind: str = '') -> Tensor:
        """Find what is kept for a parameter.

        Args:
            parameter_name (str): Name of the parameter in the backbone.
            kind (str): ``'importance'``, or ``'squares'`` for the sum of squared gradients of the
                visit so far. Defaults to ``''``: the anchor.

        Returns:
            Tensor: Of the parameter's shape.
        """
        prefix = f'{kind}/' if kind else ''
        return self.get_buffer(prefix + parameter_name.replace('.', '/'))

    @property
    def unshared_buffers(self) -> list[str]:
        """list[str]: The sums of a visit so far, which processes average at its end alone."""
        return [name for name, _ in self.named_buffers() if name.startswith('squares/')]

    @torch.no_grad()
    def forget(self) -> None:
        """Begin again: no weight is important, and no step of a visit is counted."""
        super().forget()
        if self.uses_importance:
            for name, _ in self._trained():
                for kind in ('importance', 'squares'):
                    self.get_buffer_of(name, kind).zero_()
            self.steps.zero_()

    @torch.no_grad()
    def remember(self) -> None:
        """Copy the shared weights into the anchor, and add the visit to their importance."""
        for name, parameter in self._backbone[0].named_parameters():
            self.get_buffer_of(name).copy_(parameter)
        if self.uses_importance and self.steps > 0:
            self._add_importance()
        self._note_remembered()

    def _add_importance(self) -> None:
        names = [name for name, _ in self._trained()]
        squares = [self.get_buffer_of(name, 'squares') for name in names]
        importance = [self.get_buffer_of(name, 'importance') for name in names]
        fisher = torch.cat([square.flatten() for square in squares])
        all_reduce(fisher, 'mean')
        mean = fisher.mean()
        # A visit without any gradient (its mean is zero) has no proportions.
        fisher = fisher / mean if mean > 0 else fisher
        parts = fisher.split([square.numel() for square in squares])
        torch._foreach_mul_(importance, self.decay)
        torch._foreach_add_(
            importance, [part.view_as(old) for part, old in zip(parts, importance, strict=True)]
        )
        torch._foreach_zero_(squares)
        self.steps.zero_()

    def loss(self, task: str) -> Tensor:
        """Weighted distance of the weights.

        Args:
            task (str): Unused: the weights are the same in every task.

        Returns:
            Tensor: Scalar.
        """
        trained = self._trained()
        return _Distance.apply(self, [name for name, _ in trained], *(each for _, each in trained))

    def before_backward(self, losses: Mapping[str, Any]) -> None:
        """Count the squared gradients of the backward pass that follows.

        Args:
            losses (Mapping[str, Any]): The task's losses, by name.
        """
        if not self.uses_importance or not self.training:
            return
        self._loss_scale = None
        for name, loss in losses.items():
            first = loss[0] if isinstance(loss, (list, tuple)) and loss else loss
            if 'loss' in name and isinstance(first, Tensor) and first.requires_grad:
                # All losses are summed, so that each one's gradient is the factor of the whole.
                first.register_hook(self._begin)
                return

    def after_step(self) -> None:
        """Stop counting: another backward pass is not the training's."""
        self._loss_scale = None
        self._own_gradients = {}

    def _begin(self, gradient: Tensor) -> None:
        """At the begin of a backward pass: note the factor of gradient accumulation and AMP."""
        # A loss that is no scalar is averaged: its elements share the factor.
        self._loss_scale = gradient.detach().sum()
        self.steps += 1

    @torch.no_grad()
    def _count(self, name: str, gradient: Tensor) -> None:
        """When the gradient of a parameter is complete: add the square of the task's share."""
        if self._loss_scale is None:
            return
        own = self._own_gradients.pop(name, None)
        task = gradient if own is None else gradient - own
        squares = self.get_buffer_of(name, 'squares')
        if gradient.is_cuda:
            # Steps that overflow in half precision are skipped by the optimizer and here. Without
            # waiting for the device.
            task = torch.nan_to_num(task / self._loss_scale, nan=0.0, posinf=0.0, neginf=0.0)
            squares.addcmul_(task, task)
        else:
            squares.addcmul_(task, task, value=float(self._loss_scale) ** -2)


class _Distance(torch.autograd.Function):
    """The weighted distance, with its gradient worked out along with it."""

    @staticmethod
    def forward(
        context: Any, memory: WeightAnchor, names: list[str], *parameters: Tensor
    ) -> Tensor:
        anchors = [memory.get_buffer_of(name) for name in names]
        differences = torch._foreach_sub(parameters, anchors)
        pulls = differences
        if memory.uses_importance:
            importance = [memory.get_buffer_of(name, 'importance') for name in names]
            pulls = torch._foreach_mul(differences, importance)
        context.memory, context.names, context.pulls = memory, names, pulls
        distances = [
            torch.dot(pull.flatten(), difference.flatten())
            for pull, difference in zip(pulls, differences, strict=True)
        ]
        return memory.weight * 0.5 * torch.stack(distances).sum()

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Any, ...]:
        memory, pulls = context.memory, context.pulls
        factor = gradient * memory.weight
        pulls = torch._foreach_mul(pulls, factor)
        if memory.uses_importance:
            memory._own_gradients = dict(zip(context.names, pulls, strict=True))
        return (None, None, *pulls)

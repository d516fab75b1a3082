# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""MD-MoCo: momentum contrast over several X-ray data sets (step 1 of MUSCLE)."""

from copy import deepcopy
from typing import Any

import torch
from mmengine.dist import all_gather, broadcast, get_rank, get_world_size
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from muscle_mm.models.key_queue import KeyQueue
from muscle_mm.registry import MODELS
from muscle_mm.utils.errors import UserError


@MODELS.register_module()
class MDMoCo(BaseModel):
    """Momentum contrastive learning on the union of X-ray data sets.

    The query encoder learns to tell its own film's key from the keys of other films in a queue; the
    momentum encoder, which makes the keys, follows the query encoder slowly. Source: He et al.,
    MoCo, CVPR 2020 (loss: equation 1, momentum update: equation 2), with MoCo v2's projection; the
    multiple data sets are MUSCLE's (Liao et al., MICCAI 2022, section 2). The defaults
    are MoCo's and our choice.

    The momentum update and the enqueue happen once per optimizer step, also under gradient
    accumulation: ``muscle_mm.MomentumUpdateHook`` calls :meth:`update`. The momentum encoder keeps
    its own BatchNorm statistics.

    Args:
        backbone (dict): Config of the backbone: ``dict(type='mmpretrain.ResNet', ...)``.
        neck (dict): Config of the projection from feature maps to vectors, for example
            ``dict(type='mmpretrain.MoCoV2Neck', in_channels=512, hid_channels=512,
            out_channels=128, with_avg_pool=True)``.
        queue_len (int): Number of negatives. Defaults to 65536.
        feature_dim (int): Dimension of the projected vectors; the neck's ``out_channels``. Defaults
            to 128.
        momentum (float): Share of itself that a momentum weight keeps at each update, in [0, 1].
            Defaults to 0.999.
        temperature (float): Temperature of the softmax. Defaults to 0.2.
        data_preprocessor (dict, optional): Usually ``dict(type='muscle_mm.ViewsDataPreprocessor',
            mean=..., std=...)``. Defaults to None.
        init_cfg (dict, optional): mmengine's weight initialisation. Defaults to None.

    Raises:
        ValueError: If momentum or temperature is out of range.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        neck: dict[str, Any],
        queue_len: int = 65536,
        feature_dim: int = 128,
        momentum: float = 0.999,
        temperature: float = 0.2,
        data_preprocessor: dict[str, Any] | nn.Module | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        if not 0 <= momentum <= 1:
            raise ValueError(f'momentum={momentum}: must be between 0 and 1.')
        if temperature <= 0:
            raise ValueError(f'temperature={temperature}: must be above 0.')
        self.momentum = momentum
        self.temperature = temperature
        self.backbone = MODELS.build(backbone)
        self.neck = MODELS.build(neck)
        self.momentum_backbone = self._frozen_copy(self.backbone)
        self.momentum_neck = self._frozen_copy(self.neck)
        self.queue = KeyQueue(queue_len, feature_dim)
        self.updated_by_hook = False
        self._pending_keys: list[Tensor] = []

    @staticmethod
    def _frozen_copy(module: nn.Module) -> nn.Module:
        copy: Any = deepcopy(module)
        # Starts as a copy of the initialised query encoder, so mmengine must not initialise it.
        copy._is_init = True
        return copy.requires_grad_(False)

    def init_weights(self) -> None:
        """Initialise the query encoder and start the momentum encoder as its copy."""
        super().init_weights()
        self.momentum_backbone.load_state_dict(self.backbone.state_dict())
        self.momentum_neck.load_state_dict(self.neck.state_dict())

    def forward(
        self,
        inputs: list[Tensor],
        dataset: list[str] | None = None,
        data_samples: Any = None,
        mode: str = 'tensor',
    ) -> dict[str, Tensor] | tuple[Tensor, ...]:
        """Compute the loss, or the backbone's features.

        Args:
            inputs (list[Tensor]): The two views, each (N, 3, H, W) float32; the first alone is used
                for features.
            dataset (list[str], optional): Name of each sample's data set. Defaults to None.
            data_samples (Any): Unused; part of mmengine's interface. Defaults to None.
            mode (str): ``'loss'`` or ``'tensor'``. Defaults to ``'tensor'``.

        Returns:
            dict[str, Tensor] | tuple[Tensor, ...]: The losses, or the backbone's feature maps.

        Raises:
            ValueError: If the mode is another one.
        """
        if mode == 'loss':
            return self.loss(inputs)
        if mode == 'tensor':
            return self.backbone(inputs[0])
        raise ValueError(f"mode={mode!r}: MDMoCo has the modes 'loss' and 'tensor'.")

    def loss(self, inputs: list[Tensor]) -> dict[str, Tensor]:
        """InfoNCE of the first view's queries against the second view's keys and the queue.

        Args:
            inputs (list[Tensor]): Two views, each (N, 3, H, W) float32.

        Returns:
            dict[str, Tensor]: ``loss``; and for the log ``positive_similarity`` (mean cosine
            between query and key) and ``contrast_accuracy`` (share of queries, in percent, for
            which their own key is the nearest).

        Raises:
            UserError: If the update hook is missing, so that the momentum encoder would never move.
        """
        if not self.updated_by_hook:
            raise UserError(
                'MDMoCo: the momentum encoder would never be updated. Add '
                "custom_hooks=[dict(type='muscle_mm.MomentumUpdateHook')] to the config."
            )
        if len(inputs) != 2:
            raise UserError(
                f'MDMoCo needs two views of each film, the pipeline gives {len(inputs)}.'
            )
        query_views, key_views = inputs
        queries = normalize(self.neck(self.backbone(query_views))[0], dim=1)
        keys = self._keys(key_views)
        self._pending_keys.append(keys)

        positive = (queries * keys).sum(dim=1, keepdim=True)
        negative = queries @ self.queue.keys.t()
        logits = torch.cat([positive, negative], dim=1) / self.temperature
        target = logits.new_zeros(logits.size(0), dtype=torch.long)
        nearest = logits.detach().argmax(dim=1) == target
        return {
            'loss': cross_entropy(logits, target),
            'positive_similarity': positive.detach().mean(),
            'contrast_accuracy': nearest.float().mean() * 100,
        }

    @torch.no_grad()
    def _keys(self, views: Tensor) -> Tensor:
        """Encode key views, in an order mixed across processes.

        With several processes a key must not share its BatchNorm batch with its own query, or the
        statistics give the answer away (MoCo, section 3.3): batches are gathered, permuted by one
        permutation, encoded and put back.
        """
        world_size = get_world_size()
        if world_size == 1:
            return normalize(self.momentum_neck(self.momentum_backbone(views))[0], dim=1)
        own_size = views.size(0)
        everyone = torch.cat(all_gather(views.contiguous()))
        order = torch.randperm(everyone.size(0), device=views.device)
        broadcast(order)
        own = order.view(world_size, own_size)[get_rank()]
        keys = normalize(self.momentum_neck(self.momentum_backbone(everyone[own]))[0], dim=1)
        shuffled = torch.cat(all_gather(keys.contiguous()))
        unshuffled = torch.empty_like(shuffled)
        unshuffled[order] = shuffled
        return unshuffled.view(world_size, own_size, -1)[get_rank()]

    @torch.no_grad()
    def update(self) -> None:
        """Move the momentum encoder and enqueue the new keys: once after each optimizer step."""
        momentum_parameters: list[Tensor] = [
            *self.momentum_backbone.parameters(),
            *self.momentum_neck.parameters(),
        ]
        query_parameters: list[Tensor] = [*self.backbone.parameters(), *self.neck.parameters()]
        # One fused kernel for all tensors in place of a Python loop.
        torch._foreach_lerp_(momentum_parameters, query_parameters, 1 - self.momentum)
        for keys in self._pending_keys:
            self.queue.enqueue(torch.cat(all_gather(keys)) if get_world_size() > 1 else keys)
        self._pending_keys.clear()

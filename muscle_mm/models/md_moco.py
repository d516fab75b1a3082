# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""MD-MoCo: momentum contrast over several X-ray data sets (step 1 of MUSCLE)."""

from copy import deepcopy
from typing import Any

import torch
from mmengine.dist import all_gather, get_world_size
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.optim.swa_utils import get_ema_multi_avg_fn

from muscle_mm.models.dataset_log import DatasetLog, dataset_numbers
from muscle_mm.models.grey_data_preprocessor import unexpand_grey
from muscle_mm.models.info_nce import info_nce
from muscle_mm.models.key_queue import NO_DATASET, KeyQueue
from muscle_mm.models.shuffled_encoding import encode_shuffled
from muscle_mm.models.split_batch_norm import split_batch_norm
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

    A key must not share its BatchNorm statistics with its own query, or they give the answer away
    (MoCo, section 3.3). Each process normalises its batch in ``bn_splits`` parts, and key views are
    shuffled over all parts of all processes. ``sync_bn='torch'`` in the config, mmengine's option,
    takes one statistic over all processes instead, and with it this protection away.

    Args:
        backbone (dict): Config of the backbone: ``dict(type='mmpretrain.ResNet', ...)``.
        neck (dict): Config of the projection from feature maps to vectors, for example
            ``dict(type='mmpretrain.MoCoV2Neck', in_channels=512, hid_channels=512,
            out_channels=128, with_avg_pool=True)``.
        queue_len (int): Number of negatives. Defaults to 65536. The faster the encoders change, the
            shorter it has to be: keys of a much earlier encoder are told by their age, and the loss
            then rises when the learning rate falls (``benchmarks/md_moco_shortcuts.py`` measures
            it). A run of a few epochs needs a queue of a few batches.
        feature_dim (int): Dimension of the projected vectors; the neck's ``out_channels``. Defaults
            to 128.
        momentum (float): Share of itself that a momentum weight keeps at each update, in [0, 1].
            Defaults to 0.999. It may rise during the training:
            ``muscle_mm.MomentumUpdateHook(end_momentum=1.0)``.
        temperature (float): Temperature of the softmax. Defaults to 0.2.
        bn_splits (int): Parts of each process's batch with BatchNorm statistics of their own; 1 is
            enough on several devices. Defaults to 4: of a batch of 128, as many films a part as on
            each device of the paper. Parts of a few films learn less. On a GPU each part costs
            time (``benchmarks/README.md``).
        same_dataset_negatives (bool): Whether only keys of a query's own set are its negatives: a
            harder task, in which the look of a scanner does not help. Defaults to False.
        channels_last (bool): Whether the encoders compute in torch's channels-last memory format,
            which is faster on most devices. Checkpoints do not depend on it. Defaults to False.
        compile_encoders (bool): Whether ``torch.compile`` compiles the encoders, which takes a
            minute or more at first, and pays on a GPU with several parts for BatchNorm. Defaults to
            False.
        data_preprocessor (dict, optional): Usually ``dict(type='muscle_mm.ViewsDataPreprocessor',
            mean=..., std=...)``. Defaults to None.
        init_cfg (dict, optional): mmengine's weight initialisation, of the query encoder; the
            momentum encoder starts as its copy. A checkpoint with both and the queue goes into the
            config's ``load_from``. Defaults to None.

    Raises:
        ValueError: If momentum, temperature or bn_splits is out of range.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        neck: dict[str, Any],
        queue_len: int = 65536,
        feature_dim: int = 128,
        momentum: float = 0.999,
        temperature: float = 0.2,
        bn_splits: int = 4,
        same_dataset_negatives: bool = False,
        channels_last: bool = False,
        compile_encoders: bool = False,
        data_preprocessor: dict[str, Any] | nn.Module | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        if not 0 <= momentum <= 1:
            raise ValueError(f'momentum={momentum}: must be between 0 and 1.')
        if temperature <= 0:
            raise ValueError(f'temperature={temperature}: must be above 0.')
        if bn_splits < 1:
            raise ValueError(f'bn_splits={bn_splits}: must be at least 1.')
        self.momentum = momentum
        self.temperature = temperature
        self.bn_splits = bn_splits
        self.same_dataset_negatives = same_dataset_negatives
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.backbone = self._prepared(MODELS.build(backbone))
        self.neck = self._prepared(MODELS.build(neck))
        self.momentum_backbone = self._frozen_copy(self.backbone)
        self.momentum_neck = self._frozen_copy(self.neck)
        if compile_encoders:
            self.backbone.compile()
            self.momentum_backbone.compile()
        self.queue = KeyQueue(queue_len, feature_dim)
        self.updated_by_hook = False
        #: Set by the hook. Decides how keys are shuffled, so that a resumed run does it alike.
        self.iteration = 0
        self._pending_keys: list[tuple[Tensor, Tensor | None]] = []
        self._dataset_log = DatasetLog()

    def _prepared(self, module: Any) -> nn.Module:
        if self.bn_splits > 1:
            module = split_batch_norm(module, self.bn_splits)
        return module.to(memory_format=self.memory_format)

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
        mode: str = 'tensor',
        **others: Any,
    ) -> dict[str, Tensor] | tuple[Tensor, ...]:
        """Compute the loss, or the backbone's features.

        Args:
            inputs (list[Tensor]): The two views, each (N, 3, H, W) float32; the first alone is used
                for features.
            dataset (list[str], optional): Name of each sample's data set. Defaults to None.
            mode (str): ``'loss'`` or ``'tensor'``. Defaults to ``'tensor'``.
            **others (Any): What else a batch holds, such as the files' names; unused.

        Returns:
            dict[str, Tensor] | tuple[Tensor, ...]: The losses, or the backbone's feature maps.

        Raises:
            ValueError: If the mode is another one.
        """
        if mode == 'loss':
            return self.loss(inputs, dataset)
        if mode == 'tensor':
            return self.backbone(inputs[0])
        raise ValueError(f"mode={mode!r}: MDMoCo has the modes 'loss' and 'tensor'.")

    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, Tensor]:
        """Train on a batch, as mmengine's models do, without DDP: its wrapper has its own method.

        Args:
            data (dict): A batch of the data loader.
            optim_wrapper (OptimWrapper): Steps the optimizer.

        Returns:
            dict[str, Tensor]: What is logged, on the CPU: mmengine reads each value by itself, and
            would wait for the device each time.
        """
        with optim_wrapper.optim_context(self):
            losses = self._run_forward(self.data_preprocessor(data, True), mode='loss')
        loss, logged = self.parse_losses(losses)
        values = torch.stack([*logged.values()]).detach()
        # A GPU copies the values before the backward pass, which is queued meanwhile: to wait for
        # them does not mean to wait for the whole step.
        copied = torch.cuda.Event() if values.is_cuda else None
        values = values.to('cpu', non_blocking=values.is_cuda)
        if copied is not None:
            copied.record()
        optim_wrapper.update_params(loss)
        if copied is not None:
            copied.synchronize()
        return dict(zip(logged, values, strict=True))

    def parse_losses(self, losses: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Tell the loss from what is logged only.

        mmengine would add up whatever has 'loss' in its name, such as all measures of a set that is
        called bone_loss.

        Args:
            losses (dict[str, Tensor]): What :meth:`loss` returned.

        Returns:
            tuple[Tensor, dict[str, Tensor]]: The loss, and all of it for the log.
        """
        return losses['loss'], losses

    def loss(self, inputs: list[Tensor], dataset: list[str] | None = None) -> dict[str, Tensor]:
        """InfoNCE of the first view's queries against the second view's keys and the queue.

        Args:
            inputs (list[Tensor]): Two views, each (N, 3, H, W) float32.
            dataset (list[str], optional): Name of each sample's data set. Defaults to None.

        Returns:
            dict[str, Tensor]: ``loss``; and for the log ``positive_similarity`` (mean cosine
            between query and key) and ``contrast_accuracy`` (share of queries, in percent, for
            which their own key is the nearest). Where there are several sets, at every tenth
            iteration the three also for each set of the batch, for example ``loss/NIHCC``.

        Raises:
            UserError: If the update hook is missing, so that the momentum encoder would never move,
                or if the batch does not hold two views or the sets' names that are needed.
        """
        self._check(inputs, dataset)
        queries = self._encode(self.backbone, self.neck, inputs[0])
        with torch.no_grad():
            keys = encode_shuffled(self._encode_keys, inputs[1], self.bn_splits, self.iteration)
        numbers, excluded = None, None
        if self.same_dataset_negatives and dataset is not None:
            numbers = dataset_numbers(dataset).to(queries.device, non_blocking=True)
            held = self.queue.datasets
            excluded = (numbers[:, None] != held) & (held != NO_DATASET)
        self._pending_keys.append((keys, numbers))
        measures = info_nce(queries, keys, self.queue.keys, self.temperature, excluded)
        return {
            'loss': measures.loss.mean(),
            'positive_similarity': measures.positive_similarity.mean(),
            'contrast_accuracy': measures.contrast_accuracy.mean(),
            **self._dataset_log.averages(measures, dataset, self.iteration),
        }

    def _check(self, inputs: list[Tensor], dataset: list[str] | None) -> None:
        """Refuse what cannot be trained on, with a way out."""
        if not self.updated_by_hook:
            raise UserError(
                'MDMoCo: the momentum encoder would never be updated. Add '
                "custom_hooks=[dict(type='muscle_mm.MomentumUpdateHook')] to the config."
            )
        if len(inputs) != 2:
            raise UserError(
                f'MDMoCo needs two views of each film, the pipeline gives {len(inputs)}.'
            )
        if self.same_dataset_negatives and dataset is None:
            raise UserError(
                "MDMoCo(same_dataset_negatives=True) needs each film's set: the pipeline must pack "
                "'dataset', as muscle_mm.XrayViews does."
            )

    def _encode(self, backbone: nn.Module, neck: nn.Module, views: Tensor) -> Tensor:
        """Encode (N, 3, H, W) views as (N, feature_dim) vectors of length 1, float32."""
        kind, channels = views.device.type, views.size(1)
        views = unexpand_grey(views)
        if torch.is_autocast_enabled(kind):
            # The first layer would do it, but to three channels.
            views = views.to(torch.get_autocast_dtype(kind))
        views = views.expand(-1, channels, -1, -1).contiguous(memory_format=self.memory_format)
        features = backbone(views)
        return normalize(neck(features)[0].float(), dim=1)

    def _encode_keys(self, views: Tensor) -> Tensor:
        return self._encode(self.momentum_backbone, self.momentum_neck, views)

    @torch.no_grad()
    def update(self, momentum: float | None = None) -> None:
        """Move the momentum encoder and enqueue the new keys: once after each optimizer step.

        Args:
            momentum (float, optional): Share of itself that a momentum weight keeps. Defaults to
                None: the model's.
        """
        momentum_parameters: list[Any] = [
            *self.momentum_backbone.parameters(),
            *self.momentum_neck.parameters(),
        ]
        parameters: list[Any] = [*self.backbone.parameters(), *self.neck.parameters()]
        # One fused kernel for all tensors in place of a Python loop.
        average = get_ema_multi_avg_fn(self.momentum if momentum is None else momentum)
        average(momentum_parameters, parameters, None)
        for keys, numbers in self._pending_keys:
            if get_world_size() > 1:
                keys = torch.cat(all_gather(keys))
                numbers = None if numbers is None else torch.cat(all_gather(numbers))
            self.queue.enqueue(keys, numbers)
        self._pending_keys.clear()

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What ``md_moco_speed.py`` compares: mmpretrain's MoCo, a bare loop, and MDMoCo."""

from typing import Any

import torch
from mmengine.config import Config
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.utils import get_installed_path
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torchvision.models import resnet18, resnet50

from muscle_mm.engine import BFloat16OptimWrapper
from muscle_mm.models import MDMoCo
from muscle_mm.registry import MODELS

MEAN, STD = 130.0, 58.0
MOMENTUM, TEMPERATURE, QUEUE_LEN, DIMENSION = 0.999, 0.2, 65536, 128
WIDTHS = {18: 512, 50: 2048}


def train_on(contestant: Any, batch: Any) -> Tensor:
    """One training step of a contestant, under its own setting of cuDNN."""
    torch.backends.cudnn.benchmark = contestant.cudnn_benchmark
    return contestant.step(batch)


def sgd(model: nn.Module) -> torch.optim.SGD:
    """The optimizer of mmpretrain's config, in its ordinary implementation."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return torch.optim.SGD(parameters, lr=0.03, momentum=0.9, weight_decay=1e-4)


class MmpretrainMoCo:
    """mmpretrain's MoCo as its own config builds it, trained as its own loop does."""

    cudnn_benchmark = False  # of its default_runtime.py

    def __init__(self, depth: int, device: torch.device, precision: str = 'float32') -> None:
        init_default_scope('mmpretrain')
        folder = get_installed_path('mmpretrain') + '/.mim/configs/mocov2'
        config = Config.fromfile(f'{folder}/mocov2_resnet50_8xb32-coslr-200e_in1k.py')
        config.model.backbone.depth = depth
        config.model.neck.update(in_channels=WIDTHS[depth], hid_channels=WIDTHS[depth])
        config.model.data_preprocessor = config.data_preprocessor
        self.pipeline = config.train_pipeline
        self.model = MODELS.build(config.model).to(device).train()
        wrapper = {'float32': OptimWrapper, 'float16': AmpOptimWrapper}[precision]
        self.wrapper = wrapper(optimizer=sgd(self.model))

    def batch(self, films: list[Tensor]) -> dict:
        """Colour images, as its pipeline gives them."""
        inputs = [view.expand(-1, 3, -1, -1).contiguous() for view in films]
        return dict(inputs=inputs, data_samples=None)

    def step(self, batch: dict) -> Tensor:
        """One training step."""
        return self.model.train_step(batch, self.wrapper)['loss']


class BareLoop:
    """MoCo v2 in torch and torchvision alone, without a framework."""

    cudnn_benchmark = True

    def __init__(self, depth: int, device: torch.device, layout: str, precision: str) -> None:
        self.device, self.precision = device, precision
        self.layout = getattr(torch, layout)
        # A GPU would multiply by the reciprocal of a plain number. What that rounds otherwise grows
        # within one step to a loss of ResNet-50 that differs in the fourth digit.
        self.std = torch.tensor(STD, device=device)
        self.query, self.key = (self._encoder(depth) for _ in range(2))
        self.key.load_state_dict(self.query.state_dict())
        self.key.requires_grad_(False)
        self.queue = normalize(torch.randn(QUEUE_LEN, DIMENSION, device=device), dim=1)
        self.position = 0
        self.optimizer = sgd(self.query)
        self.average = get_ema_multi_avg_fn(MOMENTUM)

    def _encoder(self, depth: int) -> nn.Module:
        encoder = (resnet18 if depth == 18 else resnet50)()
        width = WIDTHS[depth]
        encoder.fc = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(inplace=True), nn.Linear(width, DIMENSION)
        )
        return encoder.to(self.device, memory_format=self.layout).train()

    def start_as(self, model: MDMoCo) -> None:
        """Take the weights and the queue of an MDMoCo."""
        weights = dict(model.backbone.state_dict())
        weights |= {
            name.replace('mlp.', 'fc.'): value for name, value in model.neck.state_dict().items()
        }
        self.query.load_state_dict(weights)
        self.key.load_state_dict(weights)
        self.queue.copy_(model.queue.keys)

    def batch(self, films: list[Tensor]) -> list[Tensor]:
        """Grey uint8 views, as the data loader gives them."""
        return films

    def step(self, batch: list[Tensor]) -> Tensor:
        """One training step."""
        batch = [
            ((view.to(self.device, non_blocking=True).float() - MEAN) / self.std)
            .expand(-1, 3, -1, -1)
            .contiguous(memory_format=self.layout)
            for view in batch
        ]
        enabled = self.precision == 'bfloat16'
        with torch.autocast(self.device.type, torch.bfloat16, enabled=enabled):
            queries = normalize(self.query(batch[0]).float(), dim=1)
            with torch.no_grad():
                keys = normalize(self.key(batch[1]).float(), dim=1)
        positive = (queries * keys).sum(dim=1, keepdim=True)
        logits = torch.cat([positive, queries @ self.queue.t()], dim=1) / TEMPERATURE
        loss = cross_entropy(logits, logits.new_zeros(len(logits), dtype=torch.long))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            self.average([*self.key.parameters()], [*self.query.parameters()], None)
            places = torch.arange(len(keys), device=keys.device)
            self.queue[(self.position + places) % QUEUE_LEN] = keys
        self.position = (self.position + len(keys)) % QUEUE_LEN
        return loss.detach()


class MDMoCoStep:
    """MDMoCo through mmengine's ``train_step``, with what its hook does after it."""

    cudnn_benchmark = True  # of our default_runtime.py

    def __init__(
        self,
        depth: int,
        device: torch.device,
        layout: str,
        precision: str,
        bn_splits: int = 1,
        compile_encoders: bool = False,
    ) -> None:
        width = WIDTHS[depth]
        self.model = MODELS.build(
            dict(
                type='muscle_mm.MDMoCo',
                backbone=dict(type='mmpretrain.ResNet', depth=depth, zero_init_residual=False),
                neck=dict(
                    type='mmpretrain.MoCoV2Neck',
                    in_channels=width,
                    hid_channels=width,
                    out_channels=DIMENSION,
                    with_avg_pool=True,
                ),
                queue_len=QUEUE_LEN,
                feature_dim=DIMENSION,
                momentum=MOMENTUM,
                temperature=TEMPERATURE,
                bn_splits=bn_splits,
                compile_encoders=compile_encoders,
                channels_last=layout == 'channels_last',
                data_preprocessor=dict(type='muscle_mm.ViewsDataPreprocessor', mean=MEAN, std=STD),
            )
        )
        self.model.init_weights()
        self.model.to(device).train().updated_by_hook = True
        wrapper = {
            'float32': OptimWrapper,
            'bfloat16': BFloat16OptimWrapper,
            'float16': AmpOptimWrapper,
        }[precision]
        self.wrapper = wrapper(optimizer=sgd(self.model))

    def batch(self, films: list[Tensor]) -> dict:
        """Grey uint8 views, as the data loader gives them."""
        return dict(inputs=films, dataset=['films'] * len(films[0]))

    def step(self, batch: dict) -> Tensor:
        """One training step."""
        loss = self.model.train_step(batch, self.wrapper)['loss']
        self.model.update()
        return loss.detach()

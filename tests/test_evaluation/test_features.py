# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import random

import numpy as np
import pytest
import torch
from torch import nn

from muscle_mm.evaluation import extract_features
from muscle_mm.utils.errors import UserError

FILMS = [
    (torch.randint(0, 256, (1, 8, 8), generator=torch.Generator().manual_seed(i)).byte(), i % 2)
    for i in range(5)
]


class Backbone(nn.Module):
    """Two feature maps of a grey film shown in three channels; the second counts."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.frozen = nn.BatchNorm2d(4).eval()

    def forward(self, films):
        first = self.conv(films)
        return first, self.frozen(self.norm(first))


def test_the_last_map_of_the_normalised_film_is_averaged():
    torch.manual_seed(0)
    backbone = Backbone()
    features = extract_features(backbone, FILMS, mean=100, std=50, batch_size=2)
    films = torch.stack([film for film, _ in FILMS]).float()
    with torch.no_grad():
        expected = backbone.eval()(((films - 100) / 50).expand(-1, 3, -1, -1))[1].mean(dim=(2, 3))
    assert features.shape == (5, 4)
    assert features.dtype == np.float32
    assert np.allclose(features, expected.numpy(), atol=1e-6)


def test_nothing_shows_afterwards():
    backbone = Backbone()
    backbone.norm.train()
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    for seed in (torch.manual_seed, np.random.seed, random.seed):
        seed(3)
    expected = torch.rand(()), np.random.rand(), random.random()
    for seed in (torch.manual_seed, np.random.seed, random.seed):
        seed(3)
    seen = []
    backbone.register_forward_hook(lambda *call: seen.append(call))
    extract_features(backbone, FILMS, 100, 50, num_workers=1)
    assert seen == []
    assert (torch.rand(()), np.random.rand(), random.random()) == expected
    assert (backbone.training, backbone.norm.training, backbone.frozen.training) == (
        True,
        True,
        False,
    )
    assert all(torch.equal(before[name], value) for name, value in backbone.state_dict().items())
    assert all(parameter.grad is None for parameter in backbone.parameters())


def test_features_that_are_not_finite_are_counted():
    backbone = Backbone()
    nn.init.constant_(backbone.norm.bias, float('nan'))
    with pytest.raises(UserError, match='features of 5 of 5 films are not finite'):
        extract_features(backbone, FILMS, 100, 50)
    assert backbone.training


def test_a_backbone_that_gives_no_features_is_refused():
    with pytest.raises(UserError, match=r'must return feature maps .* got \(5, 8, 8\)'):
        extract_features(nn.Sequential(nn.Conv2d(3, 1, 1), nn.Flatten(0, 1)), FILMS, 100, 50)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from torch import nn

pytest.importorskip('captum')

from muscle_mm.prediction.grad_cam import grad_cam
from muscle_mm.utils.errors import UserError


class Classifier(nn.Module):
    """A backbone that gives a tuple, as the toolboxes' do, average pooling and a linear layer."""

    def __init__(self, flat=False):
        super().__init__()
        self.backbone = Backbone(flat)
        self.fc = nn.Linear(6, 2)
        self.flat = flat

    def forward(self, inputs, mode):
        assert mode == 'tensor'
        features = self.backbone(inputs)[-1]
        return self.fc(features if self.flat else features.mean(dim=(2, 3)))


class Backbone(nn.Module):
    def __init__(self, flat):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 4, stride=4)
        self.flat = flat

    def forward(self, inputs):
        features = self.conv(inputs)
        return (features.mean(dim=(2, 3)) if self.flat else features,)


@pytest.mark.parametrize('frozen', [False, True])
def test_is_the_weighted_sum_of_the_feature_maps(frozen):
    torch.manual_seed(0)
    model = Classifier().eval()
    model.backbone.requires_grad_(not frozen)
    inputs, labels = torch.randn(3, 3, 12, 20), torch.tensor([0, 1, 1])
    found = grad_cam(model, inputs, labels)
    # With an average in front of a linear layer the gradient is its weight, over the pixels.
    features = model.backbone(inputs)[0].detach()
    weights = model.fc.weight.detach()[labels]
    expected = torch.einsum('nc,nchw->nhw', weights, features).clamp_min(0)
    expected /= expected.amax(dim=(1, 2), keepdim=True)
    torch.testing.assert_close(found, expected)
    assert found.shape == (3, 3, 5)


def test_nothing_that_speaks_for_a_class_is_zero_and_not_nan():
    model = Classifier().eval()
    nn.init.zeros_(model.fc.weight)
    assert not grad_cam(model, torch.randn(1, 3, 8, 8), torch.tensor([0])).any()


def test_features_without_a_place_are_one_message():
    with pytest.raises(UserError, match='needs a feature map, and Backbone gives'):
        grad_cam(Classifier(flat=True), torch.randn(1, 3, 8, 8), torch.tensor([0]))


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'captum.attr', None)
    with pytest.raises(UserError, match='pip install captum'):
        grad_cam(Classifier(), torch.randn(1, 3, 8, 8), torch.tensor([0]))

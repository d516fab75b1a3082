# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from copy import deepcopy

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from muscle_mm.models.memories import WeightAnchor
from muscle_mm.utils.errors import UserError


class Line(nn.Module):
    """y = slope x + bias, whose gradients one can write down."""

    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor([1.0, 2.0]))
        self.bias = nn.Parameter(torch.tensor(0.5))
        self.still = nn.Parameter(torch.ones(3), requires_grad=False)

    def forward(self, x):
        return x @ self.slope + self.bias


def anchored(**options):
    line = Line()
    memory = WeightAnchor(**options)
    memory.attach(line, {})
    return line, memory.train()


def step(line, memory, x, scale=1.0, update=None):
    """A training step as the model and mmengine's optimizer wrapper make it."""
    losses = {'task.loss': line(x).square().mean()}
    memory.before_backward(losses)
    if memory.ready:
        losses['memory.loss'] = memory.loss('task')
    (scale * sum(losses.values())).backward()
    if update:
        update()
    memory.after_step()


def gradient_of(line, x):
    """Gradients of the task's loss alone, by name."""
    copy = deepcopy(line)
    copy.zero_grad()
    copy(x).square().mean().backward()
    return {n: p.grad for n, p in copy.named_parameters() if p.grad is not None}


X = torch.tensor([[1.0, 2.0], [-3.0, 0.5]])


def test_without_importance_it_is_half_the_squared_distance():
    line, memory = anchored(weight=0.3)
    memory.remember()
    with torch.no_grad():
        line.slope += torch.tensor([1.0, -2.0])
        line.bias += 3
        line.still += 100  # does not train: does not count
    loss = memory.loss('any')
    assert loss.item() == pytest.approx(0.3 * 0.5 * (1 + 4 + 9))
    loss.backward()
    assert torch.allclose(line.slope.grad, 0.3 * torch.tensor([1.0, -2.0]))
    assert line.bias.grad.item() == pytest.approx(0.9)
    assert not [name for name, _ in memory.named_buffers() if 'squares' in name]


def test_importance_is_the_mean_of_squared_gradients():
    line, memory = anchored(importance='fisher', weight=0.3)
    expected = {'slope': torch.zeros(2), 'bias': torch.zeros(())}
    for x in (X, 2 * X, X - 1):
        for name, gradient in gradient_of(line, x).items():
            expected[name] += gradient**2 / 3
        step(line, memory, x)
        line.zero_grad()
    mean = (expected['slope'].sum() + expected['bias']) / 3
    memory.remember()
    for name, fisher in expected.items():
        assert torch.allclose(memory.get_buffer_of(name, 'importance'), fisher / mean)
    with torch.no_grad():
        line.bias += 2
    loss = memory.loss('any')
    assert loss.item() == pytest.approx(0.3 * 0.5 * 4 * (expected['bias'] / mean).item())
    loss.backward()
    assert line.bias.grad.item() == pytest.approx(0.3 * 2 * (expected['bias'] / mean).item())


@pytest.mark.parametrize('scale', [1.0, 1024.0, 0.25])
def test_loss_scaling_and_the_memorys_own_share_do_not_count(scale):
    line, memory = anchored(importance='fisher', weight=5.0)
    step(line, memory, X)
    memory.remember()
    line.zero_grad()
    with torch.no_grad():
        line.slope += 1
    expected = gradient_of(line, X)
    for factor in (scale, 1.0):  # as a gradient scaler that changes its mind
        step(line, memory, X, scale=factor)
    for name, gradient in expected.items():
        assert torch.allclose(memory.get_buffer_of(name, 'squares'), 2 * gradient**2, rtol=1e-5)
    assert int(memory.steps) == 2


def test_gradient_accumulation_counts_each_batch():
    line, memory = anchored(importance='fisher')
    optimizer = OptimWrapper(torch.optim.SGD(line.parameters(), lr=0.0), accumulative_counts=2)
    optimizer.initialize_count_status(line, 0, 4)
    expected = sum(gradient_of(line, x)['slope'] ** 2 for x in (X, 2 * X, 3 * X, 4 * X))
    for factor in (1, 2, 3, 4):
        losses = {'task.loss': line(factor * X).square().mean()}
        memory.before_backward(losses)
        optimizer.update_params(sum(losses.values()))
        memory.after_step()
    assert torch.allclose(memory.get_buffer_of('slope', 'squares'), expected)


def test_importance_decays_from_visit_to_visit():
    line, memory = anchored(importance='fisher', decay=0.5)
    kept = []
    for x in (X, X + 5):
        step(line, memory, x)
        line.zero_grad()
        memory.remember()
        kept.append(memory.get_buffer_of('slope', 'importance').clone())
        assert int(memory.steps) == 0 and not memory.get_buffer_of('slope', 'squares').any()
    gradient = gradient_of(line, X + 5)
    mean = (gradient['slope'].square().sum() + gradient['bias'] ** 2) / 3
    assert torch.allclose(kept[1], 0.5 * kept[0] + gradient['slope'] ** 2 / mean)
    memory.remember()  # no step since: nothing new, and nothing decays
    assert torch.equal(memory.get_buffer_of('slope', 'importance'), kept[1])


def test_the_middle_of_a_visit_can_be_saved():
    line, memory = anchored(importance='fisher')
    step(line, memory, X)
    memory.remember()
    step(line, memory, 2 * X)
    state = deepcopy(memory.state_dict())
    other, restored = anchored(importance='fisher')
    other.load_state_dict(line.state_dict())
    restored.load_state_dict(state, strict=True)
    assert restored.ready
    for module, model in ((memory, line), (restored, other)):
        model.zero_grad()
        step(model, module, 3 * X)
        module.remember()
    for name, value in memory.state_dict().items():
        assert torch.equal(restored.state_dict()[name], value), name


def test_other_backward_passes_do_not_count():
    line, memory = anchored(importance='fisher')
    step(line, memory, X)
    before = memory.get_buffer_of('slope', 'squares').clone()
    line(X).sum().backward()
    memory.eval()
    losses = {'task.loss': line(X).square().mean()}
    memory.before_backward(losses)
    losses['task.loss'].backward()
    assert torch.equal(memory.get_buffer_of('slope', 'squares'), before)
    assert int(memory.steps) == 1


def test_losses_of_several_levels_and_accuracies():
    line, memory = anchored(importance='fisher')
    first, second = line(X).square(), line(2 * X).square().mean()
    losses = {'task.acc': torch.tensor(3.0), 'task.loss_cls': [first, second]}
    memory.before_backward(losses)
    (4.0 * (first.mean() + second)).backward()
    copy = deepcopy(line)
    copy.zero_grad()
    (copy(X).square().mean() + copy(2 * X).square().mean()).backward()
    assert torch.allclose(memory.get_buffer_of('slope', 'squares'), copy.slope.grad**2)


def test_unusable_options_are_explained():
    with pytest.raises(UserError, match=r"memory\.importance='ewc': must be one of 'none', 'fis"):
        WeightAnchor(importance='ewc')
    with pytest.raises(ValueError, match=r'memory\.decay=1\.5: must be between 0 and 1'):
        WeightAnchor(importance='fisher', decay=1.5)


def test_only_the_sums_of_a_visit_differ_between_processes():
    _, memory = anchored(importance='fisher')
    assert memory.unshared_buffers == ['squares/slope', 'squares/bias']
    assert anchored()[1].unshared_buffers == []

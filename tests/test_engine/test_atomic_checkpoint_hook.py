# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from mmengine.dataset import BaseDataset
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner

from muscle_mm.engine import AtomicCheckpointHook
from muscle_mm.registry import DATASETS, METRICS, MODELS
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.safe_loading import load_checkpoint_file


@DATASETS.register_module()
class TwoNumbers(BaseDataset):
    METAINFO = dict(classes=('a',))

    def load_data_list(self):
        return [dict(inputs=1.0), dict(inputs=2.0)]

    def prepare_data(self, idx):
        return dict(inputs=torch.tensor(float(idx)))


@MODELS.register_module()
class OneWeight(BaseModel):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, inputs, mode):
        if mode == 'loss':
            return dict(loss=self.weight * inputs.mean())
        return [self.weight.detach()]


@METRICS.register_module()
class FallsAfterTwo(BaseMetric):
    """1, 3, 2, 1: the second epoch is the best."""

    default_prefix = 'toy'

    def __init__(self, scores=(1.0, 3.0, 2.0, 1.0)):
        super().__init__()
        self.scores = iter(scores)

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return dict(first=next(self.scores), second=1.0)


def runner_of(work_dir, epochs=4, scores=None, resume=False, load_from=None, **checkpoint):
    loader = dict(
        batch_size=2,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='default_collate'),
        dataset=dict(type='muscle_mm.TwoNumbers'),
    )
    metric = dict(type='muscle_mm.FallsAfterTwo', **({} if scores is None else {'scores': scores}))
    hook = dict(type='muscle_mm.AtomicCheckpointHook', interval=1, max_keep_ckpts=1)
    return Runner(
        model=dict(type='muscle_mm.OneWeight'),
        train_dataloader=loader,
        val_dataloader=loader,
        val_cfg=dict(),
        val_evaluator=metric,
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.25)),
        train_cfg=dict(by_epoch=True, max_epochs=epochs, val_interval=1),
        default_hooks=dict(logger=None, checkpoint=hook | checkpoint),
        experiment_name=f'{work_dir}-{epochs}-{resume}',
        log_level='ERROR',
        work_dir=str(work_dir),
        resume=resume,
        load_from=None if load_from is None else str(load_from),
    )


def files(work_dir):
    return sorted(path.name for path in Path(work_dir).glob('*.pth*'))


def named_by_pointer(work_dir):
    return Path((Path(work_dir) / 'last_checkpoint').read_text()).name


@pytest.fixture
def full_disk(monkeypatch):
    """Let the n-th file fail when half of it is written."""

    def fail_at(number):
        count = 0

        def fsync(handle):
            nonlocal count
            count += 1
            if count == number:
                os.ftruncate(handle, os.fstat(handle).st_size // 2)
                raise OSError('disk full')

        monkeypatch.setattr(os, 'fsync', fsync)

    return fail_at


def test_all_goes_well(tmp_path):
    runner_of(tmp_path, save_best='toy/first', rule='greater').train()
    assert files(tmp_path) == ['best_toy_first_epoch_2.pth', 'epoch_4.pth']
    assert named_by_pointer(tmp_path) == 'epoch_4.pth'
    best = load_checkpoint_file(tmp_path / 'best_toy_first_epoch_2.pth')
    assert best['state_dict']['weight'].item() == 1 - 2 * 0.25 * 0.5


@pytest.mark.parametrize('kept', [1, 2])
def test_a_failure_while_saving_leaves_the_last_good_one(tmp_path, full_disk, kept):
    full_disk(3)
    with pytest.raises(OSError, match='disk full'):
        runner_of(tmp_path, max_keep_ckpts=kept).train()
    assert files(tmp_path) == [f'epoch_{n}.pth' for n in (1, 2)[-kept:]] + ['epoch_3.pth.part']
    assert named_by_pointer(tmp_path) == 'epoch_2.pth'
    runner = runner_of(tmp_path, max_keep_ckpts=kept, resume=True)
    runner.train()
    assert files(tmp_path) == [f'epoch_{n}.pth' for n in (3, 4)[-kept:]]
    assert runner.model.weight.item() == 1 - 4 * 0.25 * 0.5


def test_a_failure_while_saving_the_best_leaves_the_best_one_before(tmp_path, full_disk):
    # epoch 1, best, epoch 1 again; epoch 2, best
    full_disk(5)
    with pytest.raises(OSError, match='disk full'):
        runner_of(tmp_path, save_best='toy/first', rule='greater').train()
    assert files(tmp_path) == [
        'best_toy_first_epoch_1.pth',
        'best_toy_first_epoch_2.pth.part',
        'epoch_2.pth',
    ]
    resumed = runner_of(
        tmp_path, save_best='toy/first', rule='greater', resume=True, scores=(5.0, 4.0)
    )
    resumed.train()
    assert [name for name in files(tmp_path) if name.endswith('.pth')] == [
        'best_toy_first_epoch_3.pth',
        'epoch_4.pth',
    ]


def test_the_best_of_several_metrics_are_kept_apart(tmp_path):
    runner_of(tmp_path, save_best=['toy/first', 'toy/second'], rule='greater').train()
    assert files(tmp_path) == [
        'best_toy_first_epoch_2.pth',
        'best_toy_second_epoch_1.pth',
        'epoch_4.pth',
    ]


def test_a_kill_before_the_oldest_is_removed_leaves_nothing_for_good(tmp_path, monkeypatch):
    monkeypatch.setattr(os, 'remove', lambda path: (_ for _ in ()).throw(OSError('killed')))
    with pytest.raises(OSError, match='killed'):
        runner_of(tmp_path).train()
    assert files(tmp_path) == ['epoch_1.pth', 'epoch_2.pth']
    monkeypatch.undo()
    runner_of(tmp_path, epochs=3, resume=True).train()
    assert files(tmp_path) == ['epoch_3.pth']


def test_a_file_that_is_cut_off_is_told_with_the_one_before(tmp_path):
    runner_of(tmp_path, epochs=3, max_keep_ckpts=3).train()
    last = tmp_path / 'epoch_3.pth'
    last.write_bytes(last.read_bytes()[:-100])
    with pytest.raises(UserError) as error:
        runner_of(tmp_path, resume=True).train()
    message = str(error.value)
    assert f'checkpoint {last} is cut off or damaged' in message
    assert f'go on from there with --resume {tmp_path / "epoch_2.pth"}' in message
    # Without resume no other one would do.
    with pytest.raises(UserError, match=r'damaged[^/]*$'):
        runner_of(tmp_path, load_from=last).train()


def test_a_pointer_to_nothing_is_told_with_the_newest(tmp_path):
    runner_of(tmp_path, epochs=2, max_keep_ckpts=3).train()
    (tmp_path / 'epoch_2.pth').unlink()
    with pytest.raises(UserError, match=r'epoch_2\.pth does not exist.*--resume .*epoch_1\.pth'):
        runner_of(tmp_path, resume=True).train()


class Harmful:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize('resume', [False, True])
def test_nothing_in_a_file_is_executed(tmp_path, resume):
    """OneDL's mmengine would go on with weights_only=False."""
    path = tmp_path / 'harmful.pth'
    torch.save(dict(state_dict=dict(), meta=Harmful(str(tmp_path / 'executed'))), path)
    with pytest.raises(UserError, match=r'harmful\.pth cannot be read safely'):
        runner_of(tmp_path / 'run', load_from=path, resume=resume).train()
    assert not (tmp_path / 'executed').exists()


def test_another_backend_is_left_alone(tmp_path):
    runner = runner_of(tmp_path, epochs=1, backend_args=dict(backend='local'))
    runner.train()
    assert named_by_pointer(tmp_path) == 'epoch_1.pth'
    hook = next(hook for hook in runner.hooks if hasattr(hook, 'backend_args'))
    assert hook.backend_args == dict(backend='local')


def test_a_best_checkpoint_holds_too_little_to_go_on_from(tmp_path):
    runner_of(tmp_path, epochs=2, scores=(1.0, 3.0), save_best='toy/first', rule='greater').train()
    best = next(tmp_path.glob('best_*.pth'))
    with pytest.raises(UserError, match=r'best_.* holds weights alone.*epoch_N\.pth.*load_from'):
        runner_of(tmp_path, resume=True, load_from=str(best)).train()
    runner_of(tmp_path, load_from=str(best)).train()


def test_an_address_is_refused(tmp_path):
    address = 'https://example.org/weights.pth'
    with pytest.raises(UserError, match=f'load_from={address}.*Download it yourself'):
        runner_of(tmp_path, load_from=address).train()


def test_counters_of_steps_are_taken_back_from_a_gpu():
    """A stand-in for a counter on a GPU: there is none here."""
    counter = Mock(spec=torch.Tensor)
    counter.cpu.return_value = torch.tensor(3.0)
    moment = torch.ones(2)
    checkpoint = dict(
        optimizer=dict(state={0: dict(step=counter, exp_avg=moment), 1: dict(step=3)})
    )
    AtomicCheckpointHook().after_load_checkpoint(None, checkpoint)
    state = checkpoint['optimizer']['state']
    assert state[0]['step'] == 3 and state[0]['exp_avg'] is moment and state[1]['step'] == 3
    AtomicCheckpointHook().after_load_checkpoint(None, dict(state_dict={}))  # of weights alone

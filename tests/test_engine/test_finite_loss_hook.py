# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json

import pytest
import torch
from mmengine.dataset import BaseDataset
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement

from muscle_mm.engine import FiniteLossHook
from muscle_mm.engine.batch_names import files_by_set
from muscle_mm.registry import DATASETS, MODELS
from muscle_mm.utils.errors import UserError


@DATASETS.register_module()
class NamedNumbers(BaseDataset):
    """Eight numbers of two sets with file names."""

    def __init__(self):
        super().__init__(serialize_data=False)

    def load_data_list(self):
        return [dict() for _ in range(8)]

    def prepare_data(self, idx):
        return dict(
            inputs=torch.tensor(float(idx)),
            dataset=('chest', 'hand')[idx % 2],
            img_path=f'film{idx}.png',
        )


@MODELS.register_module()
class BadFrom(BaseModel):
    """Its loss, or its weight, is no number from an iteration on."""

    def __init__(self, iteration, what='loss'):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.iteration, self.what = iteration, what
        self.count = 0

    def forward(self, inputs, dataset=None, img_path=None, data_samples=None, mode='tensor'):
        self.count += 1
        bad = self.count >= self.iteration
        if bad and self.what == 'weight':
            self.weight.data.fill_(float('inf'))
            return {'loss': self.weight.detach().new_zeros(()).requires_grad_()}
        return {
            'loss_a': self.weight * (float('nan') if bad else 1.0),
            'loss_b': self.weight * inputs.mean(),
        }


def runner_of(work_dir, model, by_epoch=True, checkpoint=None, **hook):
    return Runner(
        model=dict(type='muscle_mm.BadFrom', **model),
        train_dataloader=dict(
            batch_size=4,
            num_workers=0,
            sampler=dict(type='DefaultSampler' if by_epoch else 'InfiniteSampler', shuffle=False),
            collate_fn=dict(type='default_collate'),
            dataset=dict(type='muscle_mm.NamedNumbers'),
        ),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.25)),
        train_cfg=dict(by_epoch=True, max_epochs=4)
        if by_epoch
        else dict(by_epoch=False, max_iters=8),
        default_hooks=dict(
            logger=None,
            checkpoint=dict(type='CheckpointHook', max_keep_ckpts=1, **(checkpoint or {})),
            finite_loss=dict(type='muscle_mm.FiniteLossHook', **hook),
        ),
        experiment_name=str(work_dir),
        log_level='ERROR',
        work_dir=str(work_dir),
    )


def test_the_message_names_iteration_rate_sets_and_files(tmp_path):
    with pytest.raises(UserError) as error:
        runner_of(tmp_path, dict(iteration=4)).train()
    message = str(error.value)
    assert 'the loss of iteration 4 is not finite (loss=nan, loss_a=nan; learning rate 0.25)' in (
        message
    )
    assert 'chest (2 films: film4.png, film6.png); hand (2 films: film5.png, film7.png)' in message
    record = json.loads((tmp_path / 'non_finite_loss.json').read_text())
    assert record['files'] == {
        'chest': ['film4.png', 'film6.png'],
        'hand': ['film5.png', 'film7.png'],
    }
    assert record['losses'].keys() == {'loss', 'loss_a', 'loss_b'}
    assert (record['iteration'], record['losses']['loss_a']) == (4, 'nan')


def test_each_of_several_processes_tells_of_its_own_films(tmp_path, monkeypatch):
    monkeypatch.setattr('muscle_mm.engine.finite_loss_hook.get_dist_info', lambda: (1, 2))
    with pytest.raises(UserError, match=r'iteration 4 in process 1 is not finite.*smallest'):
        runner_of(tmp_path, dict(iteration=4)).train()
    assert [path.name for path in tmp_path.glob('non_*')] == ['non_finite_loss_1.json']


@pytest.mark.parametrize('what', ['loss', 'weight'])
@pytest.mark.parametrize(
    ('by_epoch', 'checkpoint', 'kept'),
    [
        (True, dict(interval=1), 'epoch_1.pth'),
        (False, dict(by_epoch=False, interval=3), 'iter_3.pth'),
        (False, dict(by_epoch=False, interval=100), None),
    ],
)
def test_an_earlier_checkpoint_stays(tmp_path, what, by_epoch, checkpoint, kept):
    """With one checkpoint kept, mmengine removes the old one before it writes the new one."""
    runner = runner_of(tmp_path, dict(iteration=4, what=what), by_epoch, checkpoint)
    with pytest.raises(UserError, match='finite'):
        runner.train()
    written = sorted(path.name for path in tmp_path.glob('*.pth'))
    assert written == ([kept] if kept else [])


def test_a_weight_that_is_no_number_is_named(tmp_path):
    with pytest.raises(UserError, match=r'1 of 1 weights are not finite .*the first is weight'):
        runner_of(tmp_path, dict(iteration=2, what='weight')).train()


def test_any_other_checkpoint_is_not_written_either(tmp_path):
    runner = runner_of(tmp_path, dict(iteration=99))
    runner.train()
    runner.model.weight.data.fill_(float('nan'))
    with pytest.raises(UserError, match='no checkpoint is written'):
        runner.save_checkpoint(str(tmp_path), 'mine.pth')
    assert not (tmp_path / 'mine.pth').exists()


def test_on_a_gpu_losses_are_looked_at_together(tmp_path, monkeypatch):
    """Losses on the meta device stand for a GPU's: whoever looked at one would fail."""
    runner = runner_of(tmp_path, dict(iteration=99))
    runner.build_train_loop(runner._train_loop)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    hook = FiniteLossHook(interval=3)
    looked = []
    monkeypatch.setattr(hook, '_look_at_losses', lambda runner: looked.append(len(hook._kept)))
    for number in range(3):
        loss = torch.ones((), device='meta')
        hook.after_train_iter(runner, number, {'img_path': ['a.png']}, {'loss': loss})
    assert looked == [3]


def test_of_several_losses_the_first_bad_one_counts(tmp_path):
    runner = runner_of(tmp_path, dict(iteration=99), by_epoch=False)
    runner.train()
    hook = FiniteLossHook()
    for number, value in enumerate((1.0, float('inf'), float('nan'))):
        hook._kept.append(_kept(number, value))
    with pytest.raises(
        UserError, match=r'iteration 1 is not finite \(loss=inf; .* from film1\.png'
    ):
        hook.before_save_checkpoint(runner, {})


def test_losses_are_looked_at_before_a_validation(tmp_path):
    runner = runner_of(tmp_path, dict(iteration=99), by_epoch=False)
    runner.train()
    hook = FiniteLossHook()
    hook._kept.append(_kept(7, float('nan')))
    with pytest.raises(UserError, match='iteration 7 is not finite'):
        hook.before_val(runner)


def _kept(number, value):
    from muscle_mm.engine.finite_loss_hook import _Iteration

    return _Iteration(number, {'loss': torch.tensor(value)}, {f'film{number}.png': []}, 0.1)


def sample(path, **metainfo):
    return BaseDataElement(metainfo=dict(img_path=path, **metainfo))


@pytest.mark.parametrize(
    ('batch', 'expected'),
    [
        (dict(inputs=[], dataset=['a', 'b'], img_path=['1', '2']), dict(a=['1'], b=['2'])),
        (dict(inputs=[], dataset=['a', 'b', 'a']), dict(a=[], b=[])),
        (dict(data_samples=[sample('1'), sample('2')]), {'unnamed set': ['1', '2']}),
        (dict(task=['lung'] * 2, data_samples=[sample('1'), sample('2')]), dict(lung=['1', '2'])),
        (dict(task='lung', data_samples=[sample('1'), sample('2')]), dict(lung=['1', '2'])),
        (dict(data_samples=[sample('1', dataset='a')]), dict(a=['1'])),
        (dict(inputs=torch.zeros(2)), {}),
        ([torch.zeros(2)], {}),
    ],
)
def test_files_of_any_batch(batch, expected):
    assert files_by_set(batch) == expected


def test_an_interval_of_zero_is_refused():
    with pytest.raises(ValueError, match='interval=0'):
        FiniteLossHook(interval=0)

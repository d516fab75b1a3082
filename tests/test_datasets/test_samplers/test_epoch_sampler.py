# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Which films and views a training sees does not depend on workers, processes and interruptions."""

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from mmengine.runner import Runner

from muscle_mm.datasets import MURA, NIHCC, MultiXrayDataset
from muscle_mm.datasets.samplers import EpochSampler
from muscle_mm.utils.errors import UserError

VIEWS = [{'type': 'muscle_mm.LoadXray'}, {'type': 'muscle_mm.XrayViews', 'size': 8}]


@pytest.fixture
def union(prepared):
    """12 places: 6 for the 6 films of NIHCC, 6 for the 40 of MURA. Built anew at each call."""
    roots = prepared('NIHCC'), prepared('MURA')

    def build():
        sets = [cls(data_root=root) for cls, root in zip((NIHCC, MURA), roots, strict=True)]
        return MultiXrayDataset(sets, weights='equal', epoch_size=12, pipeline=VIEWS)

    return build


@pytest.fixture
def loader(union):
    """The loader as mmengine builds it for a run."""

    def build(seed=0, num_workers=0, **options):
        config = dict(
            batch_size=4,
            num_workers=num_workers,
            sampler=dict(type='muscle_mm.EpochSampler', shuffle=True),
            collate_fn=dict(type='default_collate'),
            dataset=union(),
        )
        return Runner.build_dataloader({**config, **options}, seed=seed)

    return build


def epoch(loader, number):
    """Every film of an epoch with the pixels of its views."""
    loader.sampler.set_epoch(number)
    return [
        (path, *(view[place].numpy().tobytes() for view in batch['inputs']))
        for batch in loader
        for place, path in enumerate(batch['img_path'])
    ]


def test_workers_make_no_difference(loader):
    expected = loader()
    epochs = [epoch(expected, number) for number in range(2)]
    for options in (
        dict(num_workers=1),
        dict(num_workers=2, persistent_workers=True),
        dict(num_workers=2, persistent_workers=False),
    ):
        other = loader(**options)
        assert [epoch(other, number) for number in range(2)] == epochs


def test_other_draws_do_not_disturb_the_samples_nor_the_samples_them(loader):
    expected = epoch(loader(), 3)
    torch.manual_seed(5)
    state = torch.get_rng_state()
    again = loader()
    samples = [again.dataset[index] for index in range(12)]
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(7)
    assert len(samples) == 12 and epoch(again, 3) == expected


def test_each_epoch_has_views_of_its_own(loader):
    one = loader()
    first, second = epoch(one, 0), epoch(one, 1)
    assert len({views for sample in first + second for views in sample[1:]}) == 48
    assert [path for path, *_ in first] != [path for path, *_ in second]


def test_another_seed_of_the_run_gives_other_views(loader):
    first, second = (epoch(loader(seed=seed), 0) for seed in (0, 1))
    views = [{sample[1:] for sample in run} for run in (first, second)]
    assert not views[0] & views[1]


def test_an_index_is_epoch_and_place(union):
    dataset = union()
    sampler = EpochSampler(dataset, shuffle=False, seed=0)
    assert list(sampler) == list(range(12))
    sampler.set_epoch(5)
    assert list(sampler) == list(range(60, 72))
    for index in (0, 60, 71):
        located = dataset.locate(index)
        assert located == dataset.locate(index)
        path = dataset.datasets[located[0]].get_data_info(located[1])['img_path']
        assert dataset[index]['img_path'] == dataset.get_data_info(index)['img_path'] == path
    drawn = {dataset.locate(11 + 12 * number)[1] for number in range(100)}
    assert len(drawn) == 6  # 40 films on 6 places: 6 or 7 on each


def test_processes_share_an_epoch(union, monkeypatch):
    def samples(rank, world_size):
        place = f'{EpochSampler.__mro__[1].__module__}.get_dist_info'
        monkeypatch.setattr(place, lambda: (rank, world_size))
        dataset = union()
        sampler = EpochSampler(dataset, seed=4)
        sampler.set_epoch(2)
        return {index: dataset[index]['inputs'][0].numpy().tobytes() for index in sampler}

    whole, first, second = samples(0, 1), samples(0, 2), samples(1, 2)
    assert not first.keys() & second.keys()
    assert first | second == whole and len(whole) == 12


@MODELS.register_module()
class WritesDown(BaseModel):
    """A model that trains nothing and writes down what it sees."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen = []

    def forward(self, inputs, img_path, dataset, mode):
        torch.rand(3)  # as dropout would
        self.seen += [view.cpu().numpy().tobytes() for view in inputs]
        return {'loss': self.weight.sum()}


def test_a_resumed_run_sees_what_an_uninterrupted_one_sees(loader, tmp_path):
    def run(name, num_workers, **options):
        runner = Runner(
            model=dict(type='WritesDown'),
            work_dir=str(tmp_path / name),
            train_dataloader=loader(num_workers=num_workers),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
            train_cfg=dict(by_epoch=True, max_epochs=3),
            randomness=dict(seed=0),
            experiment_name=f'{tmp_path.name}-{name}',
            log_level='ERROR',
            **options,
        )
        runner.train()
        return runner.model.seen

    whole = run('whole', 0)
    checkpoint = str(tmp_path / 'whole' / 'epoch_1.pth')
    resumed = run('resumed', 2, load_from=checkpoint, resume=True)
    assert len(set(whole)) == 18 and resumed == whole[6:]


def test_other_data_sets_are_refused(union):
    with pytest.raises(UserError, match=r"got list.* sampler=dict\(type='DefaultSampler'\)"):
        EpochSampler([1, 2], seed=0)
    with pytest.raises(UserError, match='set its epoch_size, not num_batch_per_epoch'):
        Runner.build_dataloader(
            dict(
                batch_size=4,
                num_batch_per_epoch=2,
                dataset=union(),
                sampler=dict(type='muscle_mm.EpochSampler'),
            ),
            seed=0,
        )

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from collections import Counter

import pytest
import torch
from mmengine.dataset import BaseDataset

from muscle_mm.datasets import MURA, NIHCC, MultiXrayDataset
from muscle_mm.registry import DATASETS
from muscle_mm.utils.errors import UserError


@pytest.fixture
def sets(prepared):
    """NIHCC with 6 images and MURA with 40."""
    return [NIHCC(data_root=prepared('NIHCC')), MURA(data_root=prepared('MURA'))]


def names(dataset):
    return Counter(dataset[i]['dataset'] for i in range(len(dataset)))


def test_without_weights_every_image_is_there_once(sets):
    union = MultiXrayDataset(sets)
    assert len(union) == 46
    assert len({union[i]['img_path'] for i in range(46)}) == 46
    assert names(union) == {'NIHCC': 6, 'MURA': 40}
    assert union.metainfo == {'dataset': 'MultiXrayDataset', 'datasets': ['NIHCC', 'MURA']}


@DATASETS.register_module()
class NumberedFilms(BaseDataset):
    METAINFO = {'dataset': 'numbers'}

    def load_data_list(self):
        return [{'img_path': str(number)} for number in range(3)]


def test_other_data_sets_take_part(sets):
    config = dict(type='muscle_mm.NumberedFilms')
    repeated = dict(type='RepeatDataset', times=2, dataset=config)
    union = MultiXrayDataset([sets[0], config, repeated])
    assert len(union) == union.num_films == 6 + 3 + 6


def test_equal_weights(sets):
    assert names(MultiXrayDataset(sets, weights='equal')) == {'NIHCC': 23, 'MURA': 23}


def test_given_weights_and_epoch_size(sets):
    union = MultiXrayDataset(sets, weights=[3, 1], epoch_size=10)
    assert union.places == [8, 2]
    assert names(union) == {'NIHCC': 8, 'MURA': 2}
    assert MultiXrayDataset(sets, weights=[0, 1]).places == [0, 46]


def test_size_to_a_power(sets):
    assert MultiXrayDataset(sets, weights=dict(power=1)).places == [6, 40]
    assert MultiXrayDataset(sets, weights=dict(power=0)).places == [23, 23]
    # sqrt(6) : sqrt(40) = 2.449 : 6.325, of 46
    assert MultiXrayDataset(sets, weights=dict(power=0.5)).places == [13, 33]
    assert names(MultiXrayDataset(sets, weights=dict(power=0.5))) == {'NIHCC': 13, 'MURA': 33}


def test_epoch_size_alone_keeps_the_proportions(sets):
    assert MultiXrayDataset(sets, epoch_size=23).places == [3, 20]


def test_small_set_is_repeated_evenly(sets):
    union = MultiXrayDataset(sets, weights=[1, 0], epoch_size=12)
    counts = Counter(union[i]['img_path'] for i in range(12))
    assert set(counts.values()) == {2} and len(counts) == 6


def test_large_set_is_seen_whole_over_the_epochs_and_never_twice_in_one(sets):
    union = MultiXrayDataset(sets, weights=[0, 1], epoch_size=10)
    torch.manual_seed(0)
    seen = set()
    for _ in range(60):
        epoch = [union[i]['img_path'] for i in range(10)]
        assert len(set(epoch)) == 10
        seen.update(epoch)
    assert len(seen) == 40


def test_draws_follow_torch_seed(sets):
    union = MultiXrayDataset(sets, weights=[0, 1], epoch_size=10)

    def epoch(seed):
        torch.manual_seed(seed)
        return [union.locate(i) for i in range(10)]

    assert epoch(3) == epoch(3) != epoch(4)


def test_pipeline_is_applied_to_every_set(sets):
    union = MultiXrayDataset(
        sets, pipeline=[{'type': 'muscle_mm.LoadXray'}, {'type': 'muscle_mm.XrayViews', 'size': 8}]
    )
    for index, name in ((0, 'NIHCC'), (45, 'MURA')):
        sample = union[index]
        assert sample.keys() == {'inputs', 'dataset', 'img_path'}
        assert sample['dataset'] == name
        assert sample['inputs'][0].shape == (1, 8, 8)


def test_built_from_configs(prepared):
    union = DATASETS.build(
        {
            'type': 'muscle_mm.MultiXrayDataset',
            'datasets': [
                {'type': 'muscle_mm.NIHCC', 'data_root': str(prepared('NIHCC')), 'lazy_init': True}
            ],
        }
    )
    union.full_init()
    assert union.get_data_info(0)['dataset'] == 'NIHCC'


def test_index_outside(sets):
    with pytest.raises(IndexError, match='index 46 is outside 0 to 45'):
        MultiXrayDataset(sets)[46]


@pytest.mark.parametrize(
    ('options', 'reason'),
    [
        ({'weights': 'even'}, "weights='even' is unknown"),
        ({'weights': {'size': 2}}, "weights={'size': 2} is unknown"),
        ({'weights': [1]}, 'must be 2 numbers'),
        ({'weights': [1, -1]}, 'none negative'),
        ({'weights': [0, 0]}, 'not all zero'),
        ({'epoch_size': 0}, 'epoch_size=0 must be positive'),
    ],
)
def test_bad_options(sets, options, reason):
    with pytest.raises(UserError, match=reason):
        MultiXrayDataset(sets, **options)


def test_no_sets():
    with pytest.raises(UserError, match='datasets is empty'):
        MultiXrayDataset([])

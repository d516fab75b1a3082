# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest
from mmengine.config import Config

from muscle_mm.utils.config_parts import config_parts


def test_every_dictionary_comes_once_and_before_those_within_it():
    config = dict(name='a', of=[dict(name='b'), (dict(name='c', of=dict(name='d')), 'text')])
    for given in (config, Config(config)._cfg_dict):
        assert [part['name'] for part in config_parts(given)] == ['a', 'b', 'c', 'd']


@pytest.mark.parametrize('config', ['mmseg.Crop', None, 3, [], ()])
def test_what_holds_no_dictionary_has_no_parts(config):
    assert list(config_parts(config)) == []

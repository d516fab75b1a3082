# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from pathlib import Path

import pytest

from muscle_mm.pipeline.study import Study
from muscle_mm.pipeline.study_data import StudyData, find_data
from muscle_mm.utils.errors import UserError

PHANTOMS = find_data('phantoms', Path('out'))


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'budget': 'huge'}, '--budget huge: unknown. Choose from tiny, small, full'),
        ({'backbones': (18, 34)}, '--backbones 34: unknown. Choose from 18, 50'),
        ({'initialisations': ('resnet',)}, '--inits resnet: unknown. Choose from scratch'),
        ({'tasks': ('knee',)}, '--tasks knee: unknown. Choose from pneumonia'),
        ({'seeds': (1, 1)}, '--seeds: give at least one, and each once'),
        ({'tasks': ()}, '--tasks: give at least one'),
        ({'budget': 'full'}, '--budget full trains the published configs: it needs the nine'),
        (
            {'budget': 'full', 'data': StudyData('films', Path('films'), nine_sets=False)},
            'it needs the nine public sets',
        ),
    ],
)
def test_what_there_is_no_config_for_is_refused(changes, message):
    with pytest.raises(UserError, match=message):
        Study(**{'out': Path('out'), 'data': PHANTOMS, 'budget': 'tiny', **changes})


def test_choices_of_one_study_share_its_settings():
    study = Study(Path('out'), PHANTOMS, 'tiny')
    assert study.settings == {'data': 'phantoms', 'budget': 'tiny'}
    assert replace(study, seeds=(0, 1), backbones=(18, 50)).settings == study.settings
    assert replace(study, budget='small').settings != study.settings
    other = StudyData('/films', Path('/films'), nine_sets=False)
    assert replace(study, data=other).settings != study.settings

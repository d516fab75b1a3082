# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest
import torch

from muscle_mm.datasets.manifest import write_manifest
from muscle_mm.datasets.whole_films import WholeFilms
from muscle_mm.utils.errors import UserError


@pytest.fixture
def prepared_set(tmp_path):
    def make(**metainfo):
        records = []
        for index in range(3):
            film = np.full((30, 20), 60 * index, dtype=np.uint8)
            film[:, 10:] = 255
            cv2.imwrite(str(tmp_path / f'{index}.png'), film)
            records.append(dict(img_path=f'{index}.png', gt_label=2 * (index % 2)))
        records[0]['patient_id'] = 'a'
        metainfo = dict(dataset='Toy', task='classification', source_root='.') | metainfo
        write_manifest(tmp_path / 'manifest.json', metainfo, records)
        return dict(type='muscle_mm.XrayDataset', data_root=str(tmp_path))

    return make


def test_films_are_shrunk_and_otherwise_left_alone(prepared_set):
    config = prepared_set(classes=['x', 'y', 'z'])
    films = WholeFilms({**config, 'pipeline': [dict(type='unknown.Transform')]}, size=10)
    assert len(films) == 3
    film, label = films[1]
    assert (film.shape, film.dtype, label) == ((1, 10, 10), torch.uint8, 2)
    assert film[0, :, :5].unique().tolist() == [60]
    assert film[0, :, 5:].unique().tolist() == [255]
    assert films.labels.tolist() == [0, 2, 0]
    assert films.classes == ('x', 'y', 'z')


def test_what_the_manifest_does_not_say(prepared_set):
    films = WholeFilms(prepared_set(), size=4)
    assert films.classes == ('0', '1', '2')
    assert films.patients[0] == 'a'
    assert [path.rsplit('/', 1)[1] for path in films.patients[1:]] == ['1.png', '2.png']


def test_films_without_labels_are_refused(prepared_set):
    with pytest.raises(UserError, match=r'mine: 3 of 3 films have no class label, .*0\.png'):
        WholeFilms({**prepared_set(), 'with_labels': False}, size=4, name='mine')

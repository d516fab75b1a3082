# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import torch

from muscle_mm.prediction.film_reader import ReadFilm
from muscle_mm.prediction.predict_films import batches


def test_only_neighbours_of_one_shape_share_a_batch(film_file):
    sides = [4, 4, 4, 8, None, None, 4]
    films = [
        ReadFilm(
            film_file(f'{number}.png'),
            packed=None if side is None else {'inputs': torch.zeros(1, side, 4)},
        )
        for number, side in enumerate(sides)
    ]
    found = [[int(film.file.path.stem) for film in batch] for batch in batches(films, 2)]
    assert found == [[0, 1], [2], [3], [4, 5], [6]]
    assert list(batches([], 2)) == []

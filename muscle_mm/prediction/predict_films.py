# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Run a model on films, and write down what it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.dataset import pseudo_collate
from tqdm import tqdm

from muscle_mm.prediction.film_files import FilmFile
from muscle_mm.prediction.film_reader import FilmReader, ReadFilm, lost_film
from muscle_mm.prediction.prediction_table import PredictionTable
from muscle_mm.prediction.task_output import TaskOutput
from muscle_mm.utils.parallel import map_files


def predict_films(
    files: Sequence[FilmFile],
    reader: FilmReader,
    output: TaskOutput,
    out: Path,
    batch_size: int = 8,
    workers: int = 1,
    pictures: bool = True,
    progress: bool = True,
) -> int:
    """Predict films and write the table, and a picture of each.

    A film that cannot be read gets a row with the reason, and the run goes on.

    Args:
        files (Sequence[FilmFile]): The films.
        reader (FilmReader): Reads them.
        output (TaskOutput): The model, and what is written about its predictions.
        out (Path): The folder that gets all files; it exists.
        batch_size (int): Most films in a batch. Defaults to 8.
        workers (int): Processes that read. Defaults to 1.
        pictures (bool): Whether to draw. Defaults to True.
        progress (bool): Whether to show a progress bar. Defaults to True.

    Returns:
        int: How many films were predicted.
    """
    trained = output.trained
    about = {
        'checkpoint': str(trained.checkpoint),
        'kind': trained.kind,
        'classes': list(trained.classes),
        **output.about,
    }
    predicted = 0
    with (
        PredictionTable(out, output.columns, about) as table,
        tqdm(total=len(files), unit='film', disable=not progress) as bar,
    ):
        for batch in batches(map_files(reader, files, workers, lost_film), batch_size):
            for film, sample, heat in _predict(batch, output, pictures):
                record: dict[str, Any] = {'problem': film.problem or None}
                rows: list[dict[str, Any]] = [{'problem': film.problem}]
                if sample is not None:
                    predicted += 1
                    record = {**output.record(sample, film), 'picture': None, **record}
                    written = output.save(sample, film, out)
                    if pictures:
                        written['picture'] = f'pictures/{film.file.name}.png'
                        output.draw(sample, record, film, heat, out / written['picture'])
                    record |= written
                    rows = [{**row, **written} for row in output.rows(record)]
                table.add(str(film.file.path), record, rows)
                bar.update()
    return predicted


def batches(films: Iterable[ReadFilm], size: int) -> Iterator[list[ReadFilm]]:
    """Join neighbours into batches.

    Only films that the network gets at the same shape are joined: the toolboxes pad the smaller
    ones of a batch, and what a model says about a film would depend on its neighbours.

    Args:
        films (Iterable[ReadFilm]): The films; unreadable ones make batches of their own.
        size (int): Most films in a batch.

    Yields:
        list[ReadFilm]: The next batch, in the order of the films.
    """
    batch: list[ReadFilm] = []
    for film in films:
        if batch and (len(batch) == size or film.input_shape != batch[0].input_shape):
            yield batch
            batch = []
        batch.append(film)
    if batch:
        yield batch


def _predict(
    batch: list[ReadFilm], output: TaskOutput, pictures: bool
) -> Iterator[tuple[ReadFilm, Any, torch.Tensor | None]]:
    """Predict a batch; nothing for a batch of unreadable films."""
    if batch[0].packed is None:
        yield from ((film, None, None) for film in batch)
        return
    model = output.trained.model
    data = pseudo_collate([film.packed for film in batch])
    with torch.no_grad():
        samples = model.test_step(data)
    heat: list[torch.Tensor | None] = [None] * len(batch)
    if pictures:
        inputs = model.data_preprocessor(data, False)['inputs']
        heat = output.heat_maps(samples, inputs)
    yield from zip(batch, samples, heat, strict=True)

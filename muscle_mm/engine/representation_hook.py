# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The hook that scores the representation while it trains."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from muscle_mm.datasets.io.errors import XrayReadError
from muscle_mm.datasets.whole_films import WholeFilms
from muscle_mm.evaluation.features import extract_features
from muscle_mm.evaluation.knn import nearest_neighbours
from muscle_mm.evaluation.representation_scores import representation_scores
from muscle_mm.registry import HOOKS
from muscle_mm.reporting.neighbours import ShownFilm, draw_neighbours
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.model_wrapper import unwrap_model
from muscle_mm.utils.whole_file import whole_file

_NEIGHBOURS_SHOWN = 5


@HOOKS.register_module()
class RepresentationHook(Hook):
    """Scores the backbone on a labelled set while it trains without those labels.

    A falling contrastive loss does not say that features become useful; these scores do. Before
    training, every n epochs (or iterations) and at the end, the features of the query backbone are
    averaged over each film, and two simple classifiers are fitted to those of the training split
    and scored on the other: a vote of the nearest neighbours and a linear probe. Any model with a
    ``backbone`` will do: ``MDMoCo``, ``MultiTaskPretrainer``, a toolbox's classifier.

    Logged through mmengine's visualizer, kept in its message hub and, with iteration and epoch, in
    ``representation.json`` in the work directory:

    * ``representation/knn_accuracy``, ``knn_auc``, ``linear_accuracy``, ``linear_auc``, in percent
      (several classes: mean of each class's AUC against the rest);
    * ``representation/feature_std``: 0 means collapsed, see ``feature_std``;
    * ``representation/effective_rank``: directions in use, see ``effective_rank``.

    A picture of a few films with their nearest neighbours goes into ``vis/`` in the work directory
    and to the visualizer. TensorBoard and Weights & Biases get all of it by config::

        custom_hooks = [
            dict(type='muscle_mm.MomentumUpdateHook'),
            dict(
                type='muscle_mm.RepresentationHook',
                train=dict(type='muscle_mm.PneumoniaCXR', data_root=ROOT, split='train'),
                val=dict(type='muscle_mm.PneumoniaCXR', data_root=ROOT, split='val'),
                mean=130.0,
                std=58.0,
            ),
        ]
        visualizer = dict(
            type='Visualizer',
            vis_backends=[
                dict(type='LocalVisBackend'),
                dict(type='TensorboardVisBackend'),  # pip install tensorboard
                dict(type='WandbVisBackend'),  # pip install wandb
            ],
        )

    The training is the same to the last bit with and without this hook. With several processes the
    first one scores, because BatchNorm's statistics may differ between processes, and the others
    wait; the process group's time limit (mmengine's ``env_cfg.dist_cfg.timeout``) must cover that.

    Args:
        train (dict): Config of the labelled ``muscle_mm.XrayDataset`` to fit on. Its pipeline is
            not used: films are shrunk to squares and otherwise left alone.
        val (dict): The same for the films to score on; of other patients.
        mean (float): Mean of the training images, on the 0-255 scale, as the model has it.
        std (float): Their standard deviation, on the 0-255 scale.
        size (int): Side of a film in pixels. Defaults to 224.
        interval (int): Epochs, or iterations, from one scoring to the next. Defaults to 10.
        by_epoch (bool): Whether ``interval`` counts epochs. Defaults to True.
        k (int): Neighbours that vote. Defaults to 20.
        batch_size (int): Films of a batch. Defaults to 64.
        num_workers (int): Processes that load films. Defaults to 2.
        pictured_films (int): Films in the picture; 0 draws none. Defaults to 6.
        collapse_threshold (float): Below this ``feature_std`` the log warns of a collapse. Defaults
            to 0.02, our choice: a random ResNet-18 has about 0.13 on chest films, a constant 0.
        stop_on_collapse (bool): Whether a collapse ends the run with an error. Defaults to False.

    Raises:
        UserError: Before training, if films lack labels or a split has a single class; while
            training, if features are not finite, or have collapsed and ``stop_on_collapse`` is set.
    """

    # After the momentum update and the log, before the checkpoint, which then holds the scores.
    priority = 'LOW'

    def __init__(
        self,
        train: Mapping[str, Any],
        val: Mapping[str, Any],
        mean: float,
        std: float,
        size: int = 224,
        interval: int = 10,
        by_epoch: bool = True,
        k: int = 20,
        batch_size: int = 64,
        num_workers: int = 2,
        pictured_films: int = 6,
        collapse_threshold: float = 0.02,
        stop_on_collapse: bool = False,
    ) -> None:
        if interval < 1 or k < 1:
            raise ValueError(
                f'RepresentationHook: interval={interval} and k={k} must be at least 1.'
            )
        self.configs = {'train': train, 'val': val}
        self.mean, self.std, self.size = mean, std, size
        self.interval, self.by_epoch = interval, by_epoch
        self.k = k
        self.batch_size, self.num_workers = batch_size, num_workers
        self.pictured_films = pictured_films
        self.collapse_threshold = collapse_threshold
        self.stop_on_collapse = stop_on_collapse
        self.films: dict[str, WholeFilms] = {}
        self.history: list[dict[str, Any]] = []

    def before_train(self, runner: Runner) -> None:
        """Read the films' records, and score the backbone as it starts.

        Args:
            runner (Runner): The runner.
        """
        # A resumed run has its history from the checkpoint.
        self.history = list(runner.message_hub.runtime_info.get('representation', ()))
        self._in_first_process(self._read_sets)
        if runner.iter == 0:
            self._score(runner, 0, 0)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Score after every n-th iteration, and after the last one.

        Args:
            runner (Runner): The runner.
            batch_idx (int): Unused.
            data_batch (Any): Unused. Defaults to None.
            outputs (dict, optional): Unused. Defaults to None.
        """
        if not self.by_epoch and (
            self.every_n_train_iters(runner, self.interval) or self.is_last_train_iter(runner)
        ):
            self._score(runner, runner.iter + 1)

    def after_train_epoch(self, runner: Runner) -> None:
        """Score after every n-th epoch, and after the last one.

        Args:
            runner (Runner): The runner.
        """
        if self.by_epoch and (
            self.every_n_epochs(runner, self.interval) or self.is_last_train_epoch(runner)
        ):
            # The runner has counted the epoch's last iteration already.
            self._score(runner, runner.iter, runner.epoch + 1)

    def _read_sets(self) -> None:
        for name, config in self.configs.items():
            where = f'RepresentationHook.{name}'
            films = WholeFilms(config, self.size, where)
            if np.unique(films.labels).size < 2:
                raise UserError(
                    f'{where}: all {len(films)} films have the same label. Scores need films of '
                    'two classes or more; check data_root and split.'
                )
            self.films[name] = films

    def _score(self, runner: Runner, iteration: int, epoch: int | None = None) -> None:
        """Score, log, draw and watch for a collapse.

        A film that has become unreadable since the start costs a score, not the training.
        """

        def score() -> None:
            try:
                self._score_here(runner, iteration, epoch)
            except XrayReadError as error:
                if iteration == 0:
                    raise
                runner.logger.warning(
                    f'{error} The representation is not scored at iteration {iteration}; the '
                    'training goes on.'
                )

        self._in_first_process(score)

    def _in_first_process(self, action: Any) -> None:
        """Run something in the first process alone; an error there ends all processes."""
        problem: list[str | None] = [None]
        if is_main_process():
            try:
                action()
            except UserError as error:
                problem = [str(error)]
        broadcast_object_list(problem)
        if problem[0] is not None:
            raise UserError(problem[0])

    def _score_here(self, runner: Runner, iteration: int, epoch: int | None) -> None:
        backbone = unwrap_model(runner.model).backbone
        features = {
            name: extract_features(
                backbone, films, self.mean, self.std, self.batch_size, self.num_workers
            )
            for name, films in self.films.items()
        }
        train, val = self.films['train'], self.films['val']
        scores = representation_scores(
            features['train'], train.labels, train.patients, features['val'], val.labels, self.k
        )
        self._log(runner, iteration, epoch, scores)
        if self.pictured_films:
            self._draw(runner, iteration, features)
        if scores['feature_std'] < self.collapse_threshold:
            message = (
                f'the representation has collapsed at iteration {iteration}: its feature_std is '
                f'{scores["feature_std"]:.4f}, below {self.collapse_threshold} '
                '(RepresentationHook.collapse_threshold), so that all films look alike to it. '
                'Lower the learning rate, or start again from an earlier checkpoint.'
            )
            if self.stop_on_collapse:
                raise UserError(message)
            runner.logger.warning(message)

    def _log(
        self, runner: Runner, iteration: int, epoch: int | None, scores: dict[str, float]
    ) -> None:
        # JSON has no NaN: an AUC that cannot be computed is left out.
        scores = {key: value for key, value in scores.items() if math.isfinite(value)}
        when = {'iteration': iteration} | ({} if epoch is None else {'epoch': epoch})
        self.history.append({**when, **scores})
        # The message hub is part of mmengine's checkpoints, so that a resumed run keeps the list.
        runner.message_hub.update_info('representation', self.history)
        named = {f'representation/{key}': value for key, value in scores.items()}
        runner.message_hub.update_scalars(named)
        runner.visualizer.add_scalars(named, step=iteration)
        with whole_file(Path(runner.work_dir) / 'representation.json') as unfinished:
            unfinished.write_text(json.dumps(self.history, indent=1) + '\n')
        values = '  '.join(f'{key}: {value:.4g}' for key, value in scores.items())
        runner.logger.info(f'Representation at iteration {iteration}:  {values}')

    def _draw(self, runner: Runner, iteration: int, features: dict[str, np.ndarray]) -> None:
        import cv2

        train, val = self.films['train'], self.films['val']
        chosen = _spread_over_classes(val.labels, self.pictured_films)
        voters = nearest_neighbours(features['train'], train.labels, _NEIGHBOURS_SHOWN)
        rows = []
        for query, distances, found in zip(
            chosen, *voters.kneighbors(features['val'][chosen]), strict=True
        ):
            asked = ShownFilm(val[query][0][0].numpy(), val.classes[val.labels[query]])
            rows.append([asked])
            for distance, index in zip(distances, found, strict=True):
                label = train.classes[train.labels[index]]
                rows[-1].append(ShownFilm(train[index][0][0].numpy(), label, 1 - float(distance)))
        path = Path(runner.work_dir) / 'vis' / f'neighbours_{iteration:06d}.png'
        draw_neighbours(rows, path)
        picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        runner.visualizer.add_image('representation_neighbours', picture, step=iteration)


def _spread_over_classes(labels: np.ndarray, count: int) -> list[int]:
    """Choose films of all classes in turn, spread evenly over each class."""
    classes = np.unique(labels)
    chosen = []
    for number, name in enumerate(classes):
        members = np.flatnonzero(labels == name)
        places = min(len(members), len(range(number, count, len(classes))))
        chosen += [int(members[i * len(members) // places]) for i in range(places)]
    return chosen

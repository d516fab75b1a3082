# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Classes with their probabilities."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import torch

from muscle_mm.prediction.film_reader import ReadFilm
from muscle_mm.prediction.grad_cam import grad_cam
from muscle_mm.prediction.task_output import TaskOutput, film_figure
from muscle_mm.prediction.trained_model import TrainedModel
from muscle_mm.utils.errors import UserError

#: Rises in brightness, so that it reads without colour.
_HEAT_COLOURS = 'inferno'
_OPACITY = 0.6  # where Grad-CAM has its maximum
#: Transforms after which a film and what the network gets no longer cover each other.
_CUTTING = ('Crop', 'Pad')


class ClassificationOutput(TaskOutput):
    """Class, probability of each class, and Grad-CAM of the class.

    Args:
        trained (TrainedModel): The classifier.
        threshold (float, optional): Of two classes, a film is called class 1 if the probability of
            that class reaches it. Defaults to the threshold of the test's metric. Of more classes
            the most probable is chosen.

    Raises:
        UserError: If a threshold is given for another number of classes than two.
    """

    def __init__(self, trained: TrainedModel, threshold: float | None = None) -> None:
        super().__init__(trained)
        self.count = int(trained.model.head.num_classes)
        if threshold is not None and self.count != 2:
            raise UserError(
                f'--threshold is for two classes, but the model has {self.count}: the most '
                'probable is chosen.'
            )
        self.threshold = trained.threshold if threshold is None else threshold
        self.names = [trained.class_name(label) for label in range(self.count)]

    @property
    def columns(self) -> list[str]:
        """list[str]: See ``TaskOutput``."""
        return ['class', *(f'probability_{name}' for name in self.names)]

    @property
    def about(self) -> dict[str, Any]:
        """dict[str, Any]: See ``TaskOutput``."""
        if self.count != 2:
            return {}
        return {'positive_class': self.names[1], 'threshold': self.threshold}

    def label_of(self, sample: Any) -> int:
        """Choose the class.

        Args:
            sample (Any): mmpretrain's data sample with ``pred_score``.

        Returns:
            int: Its number.
        """
        scores = sample.pred_score
        if self.count == 2:
            return int(float(scores[1]) >= self.threshold)
        return int(scores.argmax())

    def record(self, sample: Any, film: ReadFilm) -> dict[str, Any]:
        """Give ``class`` and ``probabilities``; see ``TaskOutput``."""
        probabilities = [float(score) for score in sample.pred_score]
        if not all(map(math.isfinite, probabilities)):
            raise UserError(
                f'{self.trained.checkpoint} predicts no finite probabilities for {film.file.path}: '
                'its training has diverged.'
            )
        return {
            'class': self.names[self.label_of(sample)],
            'probabilities': dict(zip(self.names, probabilities, strict=True)),
        }

    def rows(self, record: dict[str, Any]) -> list[dict[str, Any]]:
        """Give one row; see ``TaskOutput``."""
        probabilities = {
            f'probability_{name}': f'{value:.6f}' for name, value in record['probabilities'].items()
        }
        return [{'class': record['class'], **probabilities}]

    def heat_maps(self, samples: list[Any], inputs: torch.Tensor) -> list[torch.Tensor | None]:
        """Give Grad-CAM of each film's class; see ``TaskOutput``."""
        steps = [str(step['type']) for step in self.trained.pipeline]
        if any(word in step for step in steps for word in _CUTTING):
            return [None] * len(samples)
        labels = torch.tensor([self.label_of(sample) for sample in samples], device=inputs.device)
        return list(grad_cam(self.trained.model, inputs, labels))

    def draw(
        self,
        sample: Any,
        record: dict[str, Any],
        film: ReadFilm,
        heat: torch.Tensor | None,
        path: Path,
    ) -> None:
        """Draw the film, and beside it the film under its Grad-CAM; see ``TaskOutput``."""
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        chosen = record['class']
        headline = f'{chosen}: {record["probabilities"][chosen]:.1%}'
        if self.count == 2 and self.threshold != 0.5:
            headline += f'  (threshold of {self.names[1]}: {self.threshold:.1%})'
        with film_figure(path, film, headline, 1 if heat is None else 2) as panels:
            if heat is None:
                return
            assert film.shown is not None
            # The network got the whole film, however stretched.
            whole = cv2.resize(
                heat.numpy(), film.shown.shape[::-1], interpolation=cv2.INTER_CUBIC
            ).clip(0, 1)
            axis = panels[1]
            # What does not matter stays as it is on the film.
            axis.imshow(whole, cmap=_HEAT_COLOURS, vmin=0, vmax=1, alpha=_OPACITY * whole)
            axis.set_title(f'Grad-CAM of {chosen}', parse_math=False)
            solid = ScalarMappable(Normalize(0, 1), _HEAT_COLOURS)
            bar = axis.figure.colorbar(solid, ax=axis, shrink=0.6, ticks=[0, 0.5, 1])
            bar.set_label('share of the maximum')
            if not heat.any():
                axis.set_title(f'Grad-CAM: nothing speaks for {chosen}', parse_math=False)

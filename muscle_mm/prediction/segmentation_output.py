# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Masks with their areas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from muscle_mm.prediction.film_reader import ReadFilm, shrink
from muscle_mm.prediction.task_output import TaskOutput, film_figure
from muscle_mm.prediction.trained_model import TrainedModel
from muscle_mm.reporting.film_marks import draw_outline
from muscle_mm.reporting.style import COLOURS, PREDICTION_COLOUR
from muscle_mm.utils.whole_file import whole_file


class SegmentationOutput(TaskOutput):
    """Mask, its number of pixels, its share of the film, and its area where DICOM allows it.

    Class 0 is the background. Masks have the size of their film; of two classes they are 0 outside
    and 255 inside, of more the number of the class.

    Args:
        trained (TrainedModel): The model.
    """

    def __init__(self, trained: TrainedModel) -> None:
        super().__init__(trained)
        # One channel stands for the foreground alone.
        count = max(2, int(trained.model.decode_head.num_classes))
        self.names = {label: trained.class_name(label) for label in range(1, count)}

    @property
    def columns(self) -> list[str]:
        """list[str]: See ``TaskOutput``."""
        measures = ('pixels', 'area_fraction', 'area_mm2')
        names = self.names.values()
        columns = [f'{measure}_{name}' for name in names for measure in measures]
        return ['height', 'width', *columns, 'spacing', 'mask']

    @property
    def about(self) -> dict[str, Any]:
        """dict[str, Any]: See ``TaskOutput``."""
        values = [255] if len(self.names) == 1 else self.names
        return {'mask_values': dict(zip(self.names.values(), values, strict=True))}

    def record(self, sample: Any, film: ReadFilm) -> dict[str, Any]:
        """Give ``height``, ``width``, ``spacing`` and ``areas``; see ``TaskOutput``."""
        mask = _mask(sample)
        spacing = film.spacing
        areas = {}
        for label, name in self.names.items():
            pixels = int((mask == label).sum())
            square = None if spacing is None else pixels * spacing.row * spacing.column
            areas[name] = {'pixels': pixels, 'fraction': pixels / mask.size, 'mm2': square}
        return {
            'height': mask.shape[0],
            'width': mask.shape[1],
            'spacing': None if spacing is None else vars(spacing),
            'areas': areas,
        }

    def rows(self, record: dict[str, Any]) -> list[dict[str, Any]]:
        """Give one row; see ``TaskOutput``."""
        row = {'height': record['height'], 'width': record['width']}
        for name, area in record['areas'].items():
            row[f'pixels_{name}'] = area['pixels']
            row[f'area_fraction_{name}'] = f'{area["fraction"]:.6f}'
            row[f'area_mm2_{name}'] = '' if area['mm2'] is None else f'{area["mm2"]:.1f}'
        row['spacing'] = (record['spacing'] or {}).get('attribute', '')
        return [row]

    def save(self, sample: Any, film: ReadFilm, out: Path) -> dict[str, str]:
        """Write the mask; see ``TaskOutput``."""
        mask = _mask(sample)
        if len(self.names) == 1:
            mask = np.where(mask == 1, 255, 0)
        name = f'masks/{film.file.name}.png'
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as unfinished:
            Image.fromarray(mask.astype(np.uint8)).save(unfinished, format='PNG')
        return {'mask': name}

    def draw(
        self,
        sample: Any,
        record: dict[str, Any],
        film: ReadFilm,
        heat: torch.Tensor | None,
        path: Path,
    ) -> None:
        """Outline the mask; see ``TaskOutput``."""
        mask = shrink(_mask(sample).astype(np.uint8), cv2.INTER_NEAREST)
        texts = []
        for name, area in record['areas'].items():
            texts.append(f'{name}: {area["fraction"]:.1%} of the film')
            if area['mm2'] is not None:
                texts[-1] += f', {area["mm2"] / 100:.0f} cm²'
        headline = texts[0] if len(texts) == 1 else 'segmentation'
        with film_figure(path, film, headline) as panels:
            for label in self.names:
                colour = PREDICTION_COLOUR if len(texts) == 1 else COLOURS[label % len(COLOURS)]
                draw_outline(panels[0], mask == label, colour)
                if len(texts) > 1:
                    panels[0].plot([], [], color=colour, label=texts[label - 1])
            if len(texts) > 1:
                panels[0].legend(loc='upper left', bbox_to_anchor=(1, 1))


def _mask(sample: Any) -> np.ndarray:
    """Take the mask out of mmseg's data sample: (H, W), the numbers of the classes."""
    return sample.pred_sem_seg.data.squeeze(0).cpu().numpy()

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Labelled films, whole and unchanged but for their size."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from muscle_mm.datasets.transforms import LoadXray
from muscle_mm.registry import DATASETS
from muscle_mm.utils.errors import UserError


class WholeFilms(Dataset):
    """The films of a classification set, each shrunk to a square and nothing else.

    A sample is ``(film, label)``: a (1, size, size) uint8 tensor and an int.

    Args:
        dataset (Mapping): Config of a labelled ``muscle_mm.XrayDataset``. Its pipeline is not used,
            so that the config of a training set with its random crops may be given.
        size (int): Side of a film in pixels.
        name (str): What the config is called, for messages. Defaults to 'dataset'.

    Raises:
        UserError: If a film has no label.
    """

    def __init__(self, dataset: Mapping[str, Any], size: int, name: str = 'dataset') -> None:
        films = DATASETS.build({**dataset, 'pipeline': []})
        self.records = [films.get_data_info(index) for index in range(len(films))]
        self.size = size
        unlabelled = [record['img_path'] for record in self.records if 'gt_label' not in record]
        if unlabelled:
            raise UserError(
                f'{name}: {len(unlabelled)} of {len(self.records)} films have no class label, the '
                f'first is {unlabelled[0]}. Give a classification set, with its labels.'
            )
        self.labels = np.array([int(record['gt_label']) for record in self.records])
        classes = films.metainfo.get('classes') or range(int(self.labels.max()) + 1)
        self.classes = tuple(map(str, classes))
        self._load = LoadXray()

    @property
    def patients(self) -> list[str]:
        """list[str]: Patient of each film; where it is unknown, the film stands for itself."""
        return [record.get('patient_id') or record['img_path'] for record in self.records]

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        film = self._load(dict(self.records[index]))['img']
        # The one interpolation of OpenCV that averages what it leaves out.
        film = cv2.resize(film, (self.size, self.size), interpolation=cv2.INTER_AREA)
        return torch.from_numpy(film)[None], int(self.labels[index])

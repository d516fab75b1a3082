# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Read a film the way the test of the model did."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from mmengine.dataset import Compose
from mmengine.registry import TRANSFORMS

from muscle_mm.datasets.cache.shrink import read_shrunk
from muscle_mm.datasets.io import XrayReadError, invert
from muscle_mm.datasets.transforms.load_xray import LoadXray
from muscle_mm.prediction.film_files import FilmFile
from muscle_mm.prediction.pixel_spacing import PixelSpacing, read_pixel_spacing
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.parallel import LOST_REASON

#: Longest side of a film in a picture, in pixels: what a slide shows of it.
SHOWN_SIZE = 1024


@dataclass(frozen=True)
class ReadFilm:
    """A film, or the reason why there is none.

    Attributes:
        file (FilmFile): The file.
        problem (str): Why it cannot be used; '' if it can. Defaults to ''.
        shown (np.ndarray, optional): For pictures, (h, w) uint8, at most ``SHOWN_SIZE``. Defaults
            to None.
        size (tuple[int, int]): Height and width of the film in the file, in pixels. Defaults to (0,
            0).
        packed (dict, optional): What the pipeline gives: ``inputs`` (1, H, W) and ``data_samples``.
            Defaults to None.
        spacing (PixelSpacing, optional): Distance between pixels, where a DICOM file says it.
            Defaults to None.
    """

    file: FilmFile
    problem: str = ''
    shown: np.ndarray | None = None
    size: tuple[int, int] = (0, 0)
    packed: dict[str, Any] | None = None
    spacing: PixelSpacing | None = None

    @property
    def input_shape(self) -> tuple[int, ...]:
        """tuple[int, ...]: Shape of what the network gets; () for an unreadable film."""
        return () if self.packed is None else tuple(self.packed['inputs'].shape)


class FilmReader:
    """Reads films with the transforms of a test pipeline. Picklable, for other processes.

    Args:
        pipeline (Sequence[dict]): Transforms, the first of which loads the file; without
            annotations. The toolboxes they are from are imported.
        inverted (str, optional): Pattern of names of files that store bone dark, as in
            ``tools/prepare_dataset.py``. Defaults to None.
        frame (int, optional): The frame of files that hold several, from 0. Defaults to None: such
            files are refused.
        cache (int, optional): Size of the cache that the test read its films from, in pixels: the
            network then gets a film as it would lie there. Defaults to None: as it is.
    """

    def __init__(
        self,
        pipeline: Sequence[Mapping[str, Any]],
        inverted: str | None = None,
        frame: int | None = None,
        cache: int | None = None,
    ) -> None:
        self.inverted = inverted
        self.frame = frame
        self._load = TRANSFORMS.build(dict(pipeline[0]))
        # No other transform reads from a cache.
        self.cache = cache if isinstance(self._load, LoadXray) else None
        self._transform = Compose([dict(step) for step in pipeline[1:]])

    def __call__(self, file: FilmFile) -> ReadFilm:
        """Read a film.

        Args:
            file (FilmFile): The file.

        Returns:
            ReadFilm: With a problem where it cannot be read or transformed.
        """
        if file.path.is_dir():
            return ReadFilm(file, 'the folder cannot be listed')
        try:
            return self._read(file)
        except XrayReadError as error:
            reason = error.reason
        except UserError as error:
            reason = str(error)
        except Exception as error:
            # A transform fails on what no film is like, one pixel wide for example.
            reason = f'cannot be prepared ({type(error).__name__}: {error})'
        return ReadFilm(file, ' '.join(reason.split()))  # a line of the table

    def _read(self, file: FilmFile) -> ReadFilm:
        sample: dict[str, Any] = {'img_path': str(file.path)}
        if self.inverted is not None:
            sample['inverted'] = fnmatch.fnmatch(file.path.name, self.inverted)
        if self.frame is not None:
            sample['frame'] = self.frame
        loaded = self._load(sample)
        film = loaded['img']
        height, width = film.shape[:2]
        if film.min() == film.max():
            return ReadFilm(
                file, f'holds nothing: {width} x {height} pixels of one grey value only'
            )
        shown = shrink(_to_grey(film), cv2.INTER_AREA)
        if self.cache is not None:
            frame = self._load.frame if self.frame is None else self.frame
            small = read_shrunk(file.path, self.cache, frame)
            loaded['img'] = invert(small) if sample.get('inverted') else small
            loaded['img_shape'] = loaded['ori_shape'] = small.shape
        packed = self._transform(loaded)
        spacing = read_pixel_spacing(file.path)
        return ReadFilm(file, '', shown, (height, width), packed, spacing)


def lost_film(file: FilmFile) -> ReadFilm:
    """Give the result for a file that ended the process which read it.

    Args:
        file (FilmFile): The file.

    Returns:
        ReadFilm: With the reason.
    """
    return ReadFilm(file, LOST_REASON)


def shrink(image: np.ndarray, interpolation: int) -> np.ndarray:
    """Shrink an image to what a picture shows, if it is larger.

    Args:
        image (np.ndarray): (H, W), uint8.
        interpolation (int): OpenCV's.

    Returns:
        np.ndarray: (h, w), the longer at most ``SHOWN_SIZE``, in the same proportions.
    """
    factor = SHOWN_SIZE / max(image.shape)
    if factor >= 1:
        return image
    height, width = (max(1, round(side * factor)) for side in image.shape)
    return cv2.resize(image, (width, height), interpolation=interpolation)


def _to_grey(film: np.ndarray) -> np.ndarray:
    """Turn what a pipeline has loaded into grey uint8."""
    if film.ndim == 3:
        film = film[..., 0] if film.shape[-1] == 1 else cv2.cvtColor(film, cv2.COLOR_BGR2GRAY)
    if film.dtype == np.uint16:
        return (film >> 8).astype(np.uint8)
    if film.dtype != np.uint8:  # LoadXray(dtype='float32'): 0 to 1
        return (255 * film).round().astype(np.uint8)
    return film

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Files of a set that turn out to be unreadable while a training runs."""

import logging
from collections.abc import Callable
from typing import Any

import torch
from mmengine.logging import print_log

from muscle_mm.datasets.io import XrayReadError
from muscle_mm.utils.errors import UserError

#: What a damaged file or a failing disk raises. Anything else is a defect and must be seen.
READ_ERRORS = (XrayReadError, OSError)
_FILES_SHOWN = 20


class UnreadableFiles:
    """Counts the unreadable files of one set, and stops the training when they are too many.

    The count is kept in memory that the workers of a data loader share, so that it is the same for
    all of them and outlives them. Each process of a distributed training counts for itself; as it
    meets every image sooner or later, it ends with the same count.

    Args:
        set_name (str): Name of the set.
        images (int): Images of the set.
        limit (float): Fraction of the images that may be unreadable, from 0 to 1; at least one may,
            unless it is 0.

    Raises:
        UserError: If the limit is no fraction.
    """

    def __init__(self, set_name: str, images: int, limit: float) -> None:
        if not 0 <= limit <= 1:
            raise UserError(f'max_unreadable={limit} must be a fraction from 0 to 1.')
        self.set_name = set_name
        self.images = images
        self.limit = limit
        self.allowed = max(int(limit * images), 1) if limit else 0
        self._unreadable = torch.zeros(images, dtype=torch.bool).share_memory_()

    def __len__(self) -> int:
        """Count the files, those that other workers met included."""
        return int(self._unreadable.sum())

    def read(self, image: int, read: Callable[[int], Any]) -> Any:
        """Read an image, or in place of an unreadable one another image of the set.

        Args:
            image (int): Index of the image in its set.
            read (Callable[[int], Any]): Reads an image of the set.

        Returns:
            Any: What ``read`` gives, of this image or of one drawn with torch's generator.

        Raises:
            UserError: If too many files are unreadable.
        """
        while True:
            try:
                return read(image)
            except READ_ERRORS as error:
                self._add(image, error, read)
            image = int(torch.randint(self.images, ()))

    def _add(self, image: int, error: Exception, read: Callable[[int], Any]) -> None:
        """Note a file; log it the first time, and stop if it is one too many."""
        new = not self._unreadable[image]
        self._unreadable[image] = True
        count = len(self)
        if count > self.allowed or count == self.images:
            raise UserError(self._message(read)) from error
        if new:
            print_log(
                f'{self.set_name}: {reason_of(error)}. Another film of the set takes its place; '
                f'{count} of {self.images} files are unreadable so far, at most '
                f'{self.allowed} may be.',
                logger='current',
                level=logging.WARNING,
            )

    def _message(self, read: Callable[[int], Any]) -> str:
        """List the files with the reasons."""
        images = self._unreadable.nonzero()[:, 0].tolist()
        reasons = ''
        for image in images[:_FILES_SHOWN]:
            try:
                read(image)
            except READ_ERRORS as error:
                reasons += f'\n  {reason_of(error)}'
            else:
                reasons += f'\n  image {image} could not be read before, but can be now'
        more = len(images) - _FILES_SHOWN
        return (
            f'{self.set_name}: {len(images)} of {self.images} files cannot be read; '
            f'max_unreadable={self.limit} allows {self.allowed}. Put them back, or prepare the set '
            f'again, and go on from the last checkpoint with --resume.{reasons}'
            + (f'\n  and {more} more' if more > 0 else '')
        )


def reason_of(error: Exception) -> str:
    """Say which file cannot be read and why.

    Args:
        error (Exception): One of ``READ_ERRORS``.

    Returns:
        str: For one line.
    """
    return ' '.join(str(error).split()) or type(error).__name__

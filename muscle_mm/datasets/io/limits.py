# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What a file may ask for before it is decoded."""

from __future__ import annotations

from pathlib import Path

from muscle_mm.datasets.io.errors import XrayReadError

#: The most pixels that are decoded. The largest detectors (mammography, stitched spine and leg
#: films) stay below 100 million; a header that promises more is damaged, or means harm.
MAX_PIXELS = 2**27


def check_size(path: Path, height: int, width: int) -> None:
    """Refuse an image by its header, before any memory is taken for its pixels.

    Args:
        path (Path): The file.
        height (int): Rows, as the header says.
        width (int): Columns, as the header says.

    Raises:
        XrayReadError: If there is no pixel, or more than ``MAX_PIXELS``.
    """
    if height < 1 or width < 1:
        raise XrayReadError(path, f'its header says {width} x {height} pixels')
    if height * width > MAX_PIXELS:
        raise XrayReadError(
            path,
            f'too large for a radiograph: its header says {width} x {height} pixels, '
            f'the limit is {MAX_PIXELS / 1e6:.0f} million',
        )


def choose_frame(path: Path, frames: int, frame: int | None) -> int:
    """Choose the frame to decode.

    Args:
        path (Path): The file.
        frames (int): How many it holds.
        frame (int, optional): The one that was asked for, counted from 0, of files that hold
            several.

    Returns:
        int: The frame, 0 where the file holds one only.

    Raises:
        XrayReadError: If there are several and none was asked for, or one that does not exist.
    """
    if frames <= 1:
        # What is asked of a whole folder is meant for those of its files that hold several.
        return 0
    if frame is None:
        raise XrayReadError(
            path,
            f'it holds {frames} frames, expected one. Name one, counted from 0: '
            "LoadXray(frame=0), or the key 'frame' of the sample",
        )
    if not 0 <= frame < frames:
        raise XrayReadError(path, f'frame {frame} was asked for, it holds frames 0 to {frames - 1}')
    return frame

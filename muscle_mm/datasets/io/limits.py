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
        frame (int, optional): The one that was asked for, counted from 0.

    Returns:
        int: The frame, 0 where the file holds one only.

    Raises:
        XrayReadError: If none was asked for and there are several, or it does not exist.
    """
    if frame is None:
        if frames > 1:
            raise XrayReadError(
                path,
                f'it holds {frames} frames, expected one. Name one, counted from 0: '
                "LoadXray(frame=0), or the key 'frame' of the sample",
            )
        return 0
    if not 0 <= frame < frames:
        held = f'frames 0 to {frames - 1}' if frames > 1 else 'one frame, number 0'
        raise XrayReadError(path, f'frame {frame} was asked for, it holds {held}')
    return frame

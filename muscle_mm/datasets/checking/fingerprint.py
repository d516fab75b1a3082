# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What is kept of a film to find its copies."""

from __future__ import annotations

import hashlib

import numpy as np

#: A perceptual hash has 16 x 16 bits. With the usual 8 x 8, chest films of different patients are
#: as near as copies: they all show the same object in the same place.
HASH_SIDE = 16
#: The perceptual hash is a function of a thumbnail of this side: four pixels a frequency.
THUMBNAIL_SIDE = 4 * HASH_SIDE

#: One fingerprint, 4,197 bytes.
FINGERPRINT = np.dtype(
    [
        ('sha256', 'u1', 32),  # of the file
        ('inverted', '?'),  # whether the film was inverted after reading
        ('frame', '<i4'),  # of a file that holds several, or -1
        ('pixels', 'u1', 32),  # SHA-256 of shape and pixels, as read
        ('hash', 'u1', HASH_SIDE**2 // 8),  # perceptual hash
        ('mirrored', 'u1', HASH_SIDE**2 // 8),  # perceptual hash of the film seen from behind
        ('thumbnail', 'u1', (THUMBNAIL_SIDE, THUMBNAIL_SIDE)),
    ]
)


def fingerprint(
    film: np.ndarray, sha256: str, inverted: bool = False, frame: int | None = None
) -> np.ndarray:
    """Compute the fingerprint of a film.

    Args:
        film (np.ndarray): (H, W), uint8, as ``read_xray`` gives it.
        sha256 (str): Of the file, in hexadecimal.
        inverted (bool): Whether the manifest says that the file stores bone dark. Defaults to
            False.
        frame (int, optional): The frame of a file that holds several. Defaults to None.

    Returns:
        np.ndarray: No dimension, dtype ``FINGERPRINT``.
    """
    from imagehash import phash
    from PIL import Image, ImageOps

    if inverted:
        film = 255 - film
    side = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    thumbnail = Image.fromarray(film).resize(side, Image.Resampling.LANCZOS)
    found = np.zeros((), dtype=FINGERPRINT)
    found['sha256'] = np.frombuffer(bytes.fromhex(sha256), np.uint8)
    found['inverted'] = inverted
    found['frame'] = -1 if frame is None else frame
    pixels = hashlib.sha256(repr(film.shape).encode())
    pixels.update(film.tobytes())
    found['pixels'] = np.frombuffer(pixels.digest(), np.uint8)
    found['hash'] = np.packbits(phash(thumbnail, hash_size=HASH_SIDE).hash)
    found['mirrored'] = np.packbits(phash(ImageOps.mirror(thumbnail), hash_size=HASH_SIDE).hash)
    found['thumbnail'] = np.asarray(thumbnail)
    return found

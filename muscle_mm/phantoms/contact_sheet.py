# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A picture of phantoms of every set, to be looked at."""

import json
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from muscle_mm.phantoms.layouts import LAYOUTS
from muscle_mm.utils.errors import UserError

_BOX_COLOURS = {1: (235, 90, 60), 2: (70, 170, 250), 3: (250, 210, 60)}


def write_contact_sheet(out: Path, file: Path, columns: int = 8, cell: int = 192) -> None:
    """Lay films of every set side by side, one row a set, with lungs and boxes drawn in.

    Args:
        out (Path): The folder that ``write_phantoms`` filled.
        file (Path): The picture to write, PNG or JPEG by its name.
        columns (int): Films of each set. Default: 8.
        cell (int): Side of the square given to each, in pixels. Default: 192.

    Raises:
        UserError: Where the folder holds no phantoms.
    """
    rows = []
    for name, layout in LAYOUTS.items():
        root = Path(out) / layout.folder
        films = sorted(
            path
            for path in root.rglob('*')
            if path.suffix in ('.png', '.jpeg') and 'mask' not in path.parent.name.lower()
        )
        if not films:
            continue
        picks = np.linspace(0, len(films) - 1, columns).round().astype(int)
        boxes = _read_boxes(root)
        row = [_draw_cell(root, films[pick], boxes, cell) for pick in picks]
        title = np.zeros((36, cell, 3), np.uint8)
        place = (6, 24)
        cv2.putText(title, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255,) * 3, 1, cv2.LINE_AA)
        rows.append(np.hstack([np.rot90(title), *row]))
    if not rows:
        raise UserError(f"'{out}' holds no phantoms for a contact sheet: write some first.")
    file = Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack(rows)).save(file)


def _read_boxes(root: Path) -> dict[str, list[tuple[int, list[int]]]]:
    table = root / 'TBX11K/annotations/json/TBX11K_trainval.json'
    if not table.is_file():
        return {}
    content = json.loads(table.read_text())
    names = {image['id']: image['file_name'] for image in content['images']}
    boxes: dict[str, list[tuple[int, list[int]]]] = {}
    for found in content['annotations']:
        own = boxes.setdefault(names[found['image_id']], [])
        own.append((found['category_id'], found['bbox']))
    return boxes


def _draw_cell(
    root: Path, film: Path, boxes: dict[str, list[tuple[int, list[int]]]], cell: int
) -> np.ndarray:
    with Image.open(film) as image:
        pixels = np.asarray(image)
    if pixels.dtype != np.uint8:
        pixels = (pixels / max(1, pixels.max()) * 255).astype(np.uint8)
    colour = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)
    colour = colour.copy()
    for mask_path in _find_masks(root, film):
        with Image.open(mask_path) as image:
            mask = np.asarray(image)
        edges, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(colour, edges, -1, (80, 220, 120), 1, cv2.LINE_AA)
    for category, (left, top, wide, high) in boxes.get(f'{film.parent.name}/{film.name}', []):
        far = (left + wide - 1, top + high - 1)
        cv2.rectangle(colour, (left, top), far, _BOX_COLOURS[category], 1)
    height, width = colour.shape[:2]
    zoom = cell / max(height, width)
    size = (max(1, round(width * zoom)), max(1, round(height * zoom)))
    small = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
    framed = np.zeros((cell, cell, 3), np.uint8)
    top, left = (cell - size[1]) // 2, (cell - size[0]) // 2
    framed[top : top + size[1], left : left + size[0]] = small
    return framed


def _find_masks(root: Path, film: Path) -> list[Path]:
    candidates = [
        root / 'MontgomerySet/ManualMask/leftMask' / film.name,
        root / 'MontgomerySet/ManualMask/rightMask' / film.name,
        root / 'Lung Segmentation/masks' / film.name,
        root / 'Lung Segmentation/masks' / f'{film.stem}_mask.png',
    ]
    return [path for path in candidates if path.is_file()]

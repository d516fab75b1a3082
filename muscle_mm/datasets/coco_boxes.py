# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Read boxes from a COCO annotation file."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from muscle_mm.utils.errors import UserError


class CocoBoxes(NamedTuple):
    """What a COCO annotation file says.

    Attributes:
        categories (dict[int, str]): Category id to name, in the order of the ids.
        boxes (dict[str, list[dict]]): File name to its boxes, each a mapping with ``bbox`` (x1, y1,
            x2, y2), ``category_id`` and ``iscrowd``. Images without boxes have an empty list. A box
            that is not four numbers is left as it is; the preparation reports it.
        sizes (dict[str, list]): File name to the width and height on which its boxes were drawn, as
            written, for the images of which the file says both. The preparation compares them.
        problems (dict[str, str]): File name, or name of the annotation file itself, to what is
            wrong. The other images are not touched by it.
    """

    categories: dict[int, str]
    boxes: dict[str, list[dict[str, Any]]]
    sizes: dict[str, list[Any]]
    problems: dict[str, str]


def read_coco(path: Path) -> CocoBoxes:
    """Read categories and boxes. Of equal annotations of an image, one is kept.

    Args:
        path (Path): A COCO file with ``images``, ``annotations`` and ``categories``.

    Returns:
        CocoBoxes: Its content.

    Raises:
        UserError: If the file cannot be read or has another form.
    """
    try:
        content = json.loads(path.read_bytes())
        categories = {item['id']: str(item['name']) for item in content['categories']}
        images = [(item['id'], str(item['file_name'])) for item in content['images']]
        annotations = [(item.get('image_id'), item) for item in content['annotations']]
        name_of = dict(images)
        problems = _repeated(images)
        boxes: dict[str, list[dict[str, Any]]] = {name: [] for _, name in images}
        # Some programs write 0 for a size that they do not know.
        sizes = {
            str(item['file_name']): [item['width'], item['height']]
            for item in content['images']
            if item.get('width') and item.get('height')
        }
        strays = []
        for image_id, item in annotations:
            if image_id not in name_of:
                strays.append(f'{_title(item)} belongs to the unknown image {image_id!r}')
                continue
            name = name_of[image_id]
            problem = _problem(item, categories)
            if problem is not None:
                problems.setdefault(name, f'{problem} in {path.name}')
                continue
            box = {
                'bbox': _corners(item['bbox']),
                'category_id': item['category_id'],
                'iscrowd': int(item.get('iscrowd', 0)),
            }
            if box not in boxes[name]:
                boxes[name].append(box)
        if strays:
            others = f', and {len(strays) - 1} more such annotations' if len(strays) > 1 else ''
            problems[path.name] = strays[0] + others
    except (OSError, ValueError) as error:
        raise UserError(f'{path} cannot be read as COCO annotations ({error}).') from error
    except KeyError as error:
        raise UserError(f'{path} is not a COCO annotation file: {error} is missing.') from error
    except (TypeError, AttributeError) as error:
        raise UserError(f'{path} is not a COCO annotation file ({error}).') from error
    return CocoBoxes(dict(sorted(categories.items())), boxes, sizes, problems)


def _repeated(images: list[tuple[Any, str]]) -> dict[str, str]:
    """Find images of which it is not clear which boxes are theirs."""
    names = Counter(name for _, name in images)
    numbers = Counter(number for number, _ in images)
    problems = {}
    for number, name in images:
        if names[name] > 1:
            problems[name] = f'named {names[name]} times in the annotations'
        elif numbers[number] > 1:
            problems[name] = f'the image id {number!r} is given to {numbers[number]} images'
    return problems


def _problem(item: dict[str, Any], categories: dict[int, str]) -> str | None:
    """Give the reason against an annotation."""
    for key in ('bbox', 'category_id'):
        if key not in item:
            return f'{_title(item)} has no {key}'
    if item['category_id'] not in categories:
        return f'{_title(item)} has the unknown category {item["category_id"]!r}'
    if item.get('iscrowd', 0) not in (0, 1):
        return f'{_title(item)} has iscrowd {item["iscrowd"]!r}, expected 0 or 1'
    return None


def _title(item: dict[str, Any]) -> str:
    """Name an annotation."""
    return f'annotation {item.get("id")}'


def _corners(box: Any) -> Any:
    """Turn x, y, width, height into corners; leave what is not four numbers."""
    if (
        isinstance(box, list)
        and len(box) == 4
        and all(isinstance(value, (int, float)) for value in box)
    ):
        x, y, width, height = box
        return [x, y, x + width, y + height]
    return box

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Read boxes from a COCO annotation file."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from muscle_mm.utils.errors import UserError


def read_coco(path: Path) -> tuple[dict[int, str], dict[str, list[dict[str, Any]]]]:
    """Read categories and boxes.

    Args:
        path (Path): A COCO file with ``images``, ``annotations`` and ``categories``.

    Returns:
        tuple: Category id to name, in the order of the ids, and file name to its boxes, each a
        mapping with ``bbox`` (x1, y1, x2, y2), ``category_id`` and ``iscrowd``. Images without
        boxes have an empty list.

    Raises:
        UserError: If the file cannot be read or has another form.
    """
    try:
        content = json.loads(path.read_bytes())
        categories = {item['id']: item['name'] for item in content['categories']}
        file_names = {item['id']: item['file_name'] for item in content['images']}
        boxes: dict[str, list[dict[str, Any]]] = {name: [] for name in file_names.values()}
        by_image = defaultdict(list)
        for item in content['annotations']:
            x, y, width, height = item['bbox']
            if item['category_id'] not in categories:
                raise UserError(
                    f'{path}: annotation {item.get("id")} has the unknown category '
                    f'{item["category_id"]}.'
                )
            by_image[item['image_id']].append(
                {
                    'bbox': [x, y, x + width, y + height],
                    'category_id': item['category_id'],
                    'iscrowd': int(item.get('iscrowd', 0)),
                }
            )
        for image_id, items in by_image.items():
            boxes[file_names[image_id]].extend(items)
    except UserError:
        raise
    except (OSError, ValueError) as error:
        raise UserError(f'{path} cannot be read as COCO annotations ({error}).') from error
    except (KeyError, TypeError) as error:
        raise UserError(f'{path} is not a COCO annotation file: {error!r} is missing.') from error
    return dict(sorted(categories.items())), boxes

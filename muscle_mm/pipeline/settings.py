# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""All results in a study's folder have the same settings."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from muscle_mm.utils.errors import UserError
from muscle_mm.utils.whole_file import whole_file


def keep_settings(out: Path, settings: Mapping[str, Any]) -> None:
    """Note the settings of a study, or see that they are those of the results in its folder.

    Args:
        out (Path): The study's folder; made if missing. The settings are in its ``study.json``.
        settings (Mapping[str, Any]): What all results have in common, as JSON knows it.

    Raises:
        UserError: If the folder holds results of other settings.
    """
    path = out / 'study.json'
    try:
        there = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        out.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as unfinished:
            unfinished.write_text(json.dumps(settings, indent=1) + '\n', encoding='utf-8')
        return
    if there != json.loads(json.dumps(settings)):
        raise UserError(
            f'{out} holds results of other settings: {there}, now {dict(settings)}. One report '
            'would mix them: give another --out.'
        )

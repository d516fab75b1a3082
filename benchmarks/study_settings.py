# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""All results in a study's folder have the same settings."""

import json
from pathlib import Path
from typing import Any

from muscle_mm.utils.errors import UserError


def keep_settings(out: Path, settings: dict[str, Any]) -> None:
    """Note the settings, or see that they are those of the results that are there.

    Args:
        out (Path): Folder of the study; made if missing.
        settings (dict[str, Any]): What all results have in common.

    Raises:
        UserError: If the folder holds results of other settings.
    """
    path = out / 'settings.json'
    text = json.dumps(settings, indent=1) + '\n'
    if path.is_file() and path.read_text() != text:
        raise UserError(f'{path} has other settings: give another --out, or the same settings.')
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(text)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What is done, what was interrupted, and whether it still holds."""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from muscle_mm.pipeline.stage import Stage
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.whole_file import whole_file


class Ledger:
    """Remembers the state of each stage in one small file.

    A stage's key is a hash of its command, its config's content and the keys of the stages before
    it. A mark under another key does not count, so that a change anywhere makes everything after it
    run again.

    Args:
        folder (Path): Where the marks are; made when the first is written.
        stages (Sequence[Stage]): The pipeline, each stage after those it needs.
    """

    def __init__(self, folder: Path, stages: Sequence[Stage]) -> None:
        self.folder = folder
        self.keys: dict[str, str] = {}
        for stage in stages:
            self.keys[stage.name] = stage_key(stage, [self.keys[name] for name in stage.after])

    def is_done(self, stage: Stage) -> bool:
        """Whether a stage has finished under its present key.

        Args:
            stage (Stage): The stage.

        Returns:
            bool: True if so.
        """
        return self._state(stage) == 'done'

    def was_interrupted(self, stage: Stage) -> bool:
        """Whether a stage has started but not finished under its present key.

        Args:
            stage (Stage): The stage.

        Returns:
            bool: True if so.
        """
        return self._state(stage) == 'started'

    def mark(self, stage: Stage, state: str) -> None:
        """Write down the state of a stage.

        Args:
            stage (Stage): The stage.
            state (str): ``'started'`` or ``'done'``.
        """
        path = self._path(stage)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as unfinished:
            mark = {'key': self.keys[stage.name], 'state': state}
            unfinished.write_text(json.dumps(mark) + '\n')

    def forget(self, stages: Iterable[Stage]) -> None:
        """Remove the marks of stages, so that they run again from the start.

        Args:
            stages (Iterable[Stage]): The stages.
        """
        for stage in stages:
            self._path(stage).unlink(missing_ok=True)

    def _path(self, stage: Stage) -> Path:
        return self.folder / f'{stage.name.replace("/", "-")}.json'

    def _state(self, stage: Stage) -> str | None:
        try:
            mark = json.loads(self._path(stage).read_text())
        except (OSError, ValueError):
            return None
        if not isinstance(mark, dict) or mark.get('key') != self.keys[stage.name]:
            return None
        return mark.get('state')


def stage_key(stage: Stage, keys_before: Sequence[str]) -> str:
    """Hash everything that decides what a stage produces.

    Args:
        stage (Stage): The stage.
        keys_before (Sequence[str]): Keys of the stages that it needs.

    Returns:
        str: Hexadecimal digest.
    """
    content: dict[str, Any] = {
        'command': stage.command,
        'environment': dict(stage.environment),
        'before': list(keys_before),
        'config': _config_content(stage.config, stage.environment) if stage.config else None,
        'code': [
            (path.name, hashlib.sha256(path.read_bytes()).hexdigest())
            for folder in stage.code
            for path in sorted(folder.rglob('*.py'))
        ],
    }
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _config_content(path: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Read a config with all that it inherits, as its stage will read it.

    Args:
        path (Path): The config.
        environment (Mapping[str, str]): Variables that the config may refer to.

    Returns:
        dict[str, Any]: Its content.

    Raises:
        UserError: If there is no such file.
    """
    from mmengine.config import Config
    from mmengine.logging import MMLogger

    if not path.is_file():
        raise UserError(f'config {path} does not exist.')
    saved = dict(os.environ)
    os.environ.update(environment)
    # mmengine announces every variable in every config.
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        return Config.fromfile(str(path), import_custom_modules=False).to_dict()
    finally:
        logger.setLevel(level)
        os.environ.clear()
        os.environ.update(saved)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What is done, what was interrupted, and whether it still holds."""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import MMLogger

from muscle_mm.pipeline.stage import Stage
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.file_digest import file_sha256
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
        contents: dict[Any, dict[str, Any]] = {}
        for stage in stages:
            keys_before = [self.keys[name] for name in stage.after]
            self.keys[stage.name] = stage_key(stage, keys_before, contents)

    def is_done(self, stage: Stage) -> bool:
        """Whether a stage has finished under its present key, and its folder is still there.

        Args:
            stage (Stage): The stage.

        Returns:
            bool: True if so.
        """
        there = stage.work_dir is None or stage.work_dir.is_dir()
        return there and self._state(stage) == 'done'

    def was_interrupted(self, stage: Stage) -> bool:
        """Whether a stage has started but not finished under its present key.

        Args:
            stage (Stage): The stage.

        Returns:
            bool: True if so.
        """
        return self._state(stage) == 'started'

    def mark(self, stage: Stage, state: str, seconds: float | None = None) -> None:
        """Write down the state of a stage.

        Args:
            stage (Stage): The stage.
            state (str): ``'started'`` or ``'done'``.
            seconds (float, optional): How long it ran from its start to its end. Defaults to None:
                it was interrupted, or is not done.
        """
        path = self._path(stage)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as unfinished:
            mark = {
                'key': self.keys[stage.name],
                'state': state,
                'kind': stage.kind,
                'seconds': seconds,
            }
            unfinished.write_text(json.dumps(mark) + '\n')

    def forget(self, stages: Iterable[Stage]) -> None:
        """Remove the marks of stages, so that they run again from the start.

        Args:
            stages (Iterable[Stage]): The stages.
        """
        for stage in stages:
            self._path(stage).unlink(missing_ok=True)

    def durations(self) -> dict[str, list[float]]:
        """Collect how long the finished stages of this folder took, also those of other plans.

        Returns:
            dict[str, list[float]]: Seconds of each kind.
        """
        found: dict[str, list[float]] = {}
        for path in sorted(self.folder.glob('*.json')):
            mark = self._read(path)
            if mark.get('kind') and mark.get('state') == 'done' and mark.get('seconds'):
                found.setdefault(mark['kind'], []).append(float(mark['seconds']))
        return found

    def _path(self, stage: Stage) -> Path:
        return self.folder / f'{stage.name.replace("/", "-")}.json'

    def _state(self, stage: Stage) -> str | None:
        mark = self._read(self._path(stage))
        return mark.get('state') if mark.get('key') == self.keys[stage.name] else None

    @staticmethod
    def _read(path: Path) -> dict[str, Any]:
        try:
            mark = json.loads(path.read_text())
        except (OSError, ValueError):
            return {}
        return mark if isinstance(mark, dict) else {}


def stage_key(
    stage: Stage, keys_before: Sequence[str], contents: dict[Any, dict[str, Any]] | None = None
) -> str:
    """Hash everything that decides what a stage produces.

    Args:
        stage (Stage): The stage.
        keys_before (Sequence[str]): Keys of the stages that it needs.
        contents (dict, optional): Configs that were read for other stages, added to: reading takes
            longer than all else. Defaults to None: none.

    Returns:
        str: Hexadecimal digest.
    """
    contents = {} if contents is None else contents
    reading = (stage.config, tuple(sorted(stage.environment.items())))
    if stage.config is not None and reading not in contents:
        contents[reading] = config_of(stage).to_dict()
    content: dict[str, Any] = {
        'command': stage.command,
        'environment': dict(stage.environment),
        'before': list(keys_before),
        'config': contents.get(reading),
        'code': [
            (path.name, file_sha256(path))
            for part in stage.code
            for path in ([part] if part.is_file() else sorted(part.rglob('*.py')))
        ],
    }
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def config_of(stage: Stage) -> Config:
    """Read a stage's config with all that it inherits, as its command will read it.

    Args:
        stage (Stage): A stage with a config.

    Returns:
        Config: The config, without the options of the command.

    Raises:
        UserError: If there is no such file.
    """
    if stage.config is None or not stage.config.is_file():
        raise UserError(f'config {stage.config} does not exist.')
    saved = dict(os.environ)
    os.environ.update(stage.environment)
    # mmengine announces every variable in every config.
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        return Config.fromfile(
            str(stage.config), import_custom_modules=False, format_python_code=False
        )
    finally:
        logger.setLevel(level)
        os.environ.clear()
        os.environ.update(saved)

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""One step of a pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Stage:
    """One command of a pipeline, with what it needs and what it owns.

    Attributes:
        name (str): Unique name, also of its log and its marker, for example
            ``'finetune/lung/muscle'``.
        title (str): What it does, for people.
        command (tuple[str, ...]): The command. A part ``{last:DIR}`` or ``{best:DIR}`` stands for
            the last or the best checkpoint below ``DIR`` at the moment the stage starts.
        after (tuple[str, ...]): Names of the stages that must be done first.
        work_dir (Path, optional): Folder that belongs to this stage alone. It is emptied before the
            stage starts afresh. Defaults to None.
        config (Path, optional): Config that the command reads; a change of its content makes the
            stage run again. Defaults to None.
        code (tuple[Path, ...]): Source files, and folders of such, with the same effect. Defaults
            to none.
        environment (Mapping[str, str]): Additional environment variables. Defaults to none.
        resume_options (tuple[str, ...]): Added to the command when the stage was interrupted
            before. Defaults to none.
        kind (str): Stages of one kind take equally long, for example ``'mura/resnet18'``; '' says
            nothing. Defaults to ''.
        lasting (bool): Whether its folder is kept when it starts afresh (prepared data, of which
            complete parts are used again). Defaults to False.
        tolerant (bool): Whether it runs also when some of the stages before it have failed (a
            report of what there is). Defaults to False.
        alone (bool): Whether it runs alone, with all processor cores. Defaults to False.
        show_all (bool): Whether every line of output is shown, or only progress. Defaults to False.
    """

    name: str
    title: str
    command: tuple[str, ...]
    after: tuple[str, ...] = ()
    work_dir: Path | None = None
    config: Path | None = None
    code: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    resume_options: tuple[str, ...] = ()
    kind: str = ''
    lasting: bool = False
    tolerant: bool = False
    alone: bool = False
    show_all: bool = False

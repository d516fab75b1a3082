# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The hook that writes into each checkpoint what trained it."""

from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from muscle_mm import __version__
from muscle_mm.registry import HOOKS
from muscle_mm.utils.revision import git_revision


@HOOKS.register_module()
class ProvenanceHook(Hook):
    """Adds the config file's name and this package's version and git revision to checkpoints.

    They go into ``meta``, where mmengine writes the config's text, the data sets and the iteration
    by itself. ``tools/export_backbone.py`` hands all of it on.
    """

    def before_train(self, runner: Runner) -> None:
        """Ask for the revision while the code that runs is still the code on disk.

        Args:
            runner (Runner): The runner.
        """
        self.provenance = {
            'config_file': Path(runner.cfg.filename).name if runner.cfg.filename else '',
            'muscle_mm_version': __version__,
            'muscle_mm_revision': git_revision(),
        }

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Add them.

        Args:
            runner (Runner): The runner.
            checkpoint (dict): What is about to be written.
        """
        checkpoint['meta'].update(self.provenance)

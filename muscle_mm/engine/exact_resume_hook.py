# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The hook by which a resumed fine-tuning ends as if it had never been stopped."""

from mmengine.hooks import Hook
from mmengine.runner import Runner, set_random_seed

from muscle_mm.registry import HOOKS
from muscle_mm.utils.random_state import seed_of


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Makes an epoch a function of the run's seed, its number and the process alone.

    mmengine keeps weights, optimizer and schedule in a checkpoint, but not the state of the random
    generators. This hook seeds them anew for each epoch. mmengine also writes an epoch's checkpoint
    before its validation, and a run that is resumed there does without: the best model may then be
    missed. This hook validates first where a validation was due. It is for training by epochs
    (step 2 has a loop of its own).

    On the CPU a resumed run ends with the very bits of one that was not stopped, if it loads in the
    training process itself (``num_workers=0``): workers that outlive an epoch have generators of
    their own.
    """

    # After CheckpointHook has made itself ready to save a best model.
    priority = 'LOWEST'

    def before_train(self, runner: Runner) -> None:
        """Make up for the validation that the checkpoint lacks.

        Args:
            runner (Runner): The runner, after it has loaded what it resumes from.
        """
        loop = runner.train_loop
        epoch = runner.epoch
        if runner.val_loop is None or epoch < max(1, loop.val_begin):
            return
        if epoch % loop.val_interval == 0 or epoch == loop.max_epochs:
            runner.val_loop.run()

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed Python's, NumPy's and torch's generators.

        Args:
            runner (Runner): The runner.
        """
        set_random_seed(seed_of(runner.seed, runner.epoch, runner.rank))

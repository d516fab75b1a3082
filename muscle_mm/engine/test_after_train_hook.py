# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The hook that measures a fine-tuned model on the test split."""

import json
from pathlib import Path

from mmengine.dist import barrier
from mmengine.hooks import Hook
from mmengine.runner import Runner

from muscle_mm.registry import HOOKS


@HOOKS.register_module()
class TestAfterTrainHook(Hook):
    """Tests the best checkpoint when training ends, in the same process.

    The best checkpoint is the one that mmengine's ``CheckpointHook(save_best=...)`` chose on the
    validation split; without one the last weights are tested. The metrics are logged and written to
    ``test_metrics.json`` in the work directory, beside the name of the checkpoint. To do the same
    later, or for another checkpoint, use the toolbox's ``tools/test.py``.
    """

    # pytest must not take this class for a test.
    __test__ = False

    priority = 'LOWEST'

    def after_train(self, runner: Runner) -> None:
        """Load the best checkpoint and test it.

        Args:
            runner (Runner): The runner; without a test dataloader in its config nothing happens.
        """
        if runner._test_loop is None:
            return
        best = runner.message_hub.runtime_info.get('best_ckpt')
        if best is not None:
            barrier()  # the first process may still be writing it
            runner.load_checkpoint(best, map_location='cpu')
        metrics = runner.test_loop.run()
        if runner.rank == 0:
            path = Path(runner.work_dir) / 'test_metrics.json'
            content = dict(checkpoint=best, metrics=metrics)
            path.write_text(json.dumps(content, indent=1, default=float) + '\n')
            runner.logger.info(f'test metrics written to {path}')

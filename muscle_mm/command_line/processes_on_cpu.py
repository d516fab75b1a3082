# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Distributed runs on machines without a GPU."""

import gc
from datetime import timedelta

from mmengine.config import Config


def prepare_processes_on_cpu(config: Config) -> None:
    """Connect the processes through gloo where there is no CUDA device; do nothing otherwise.

    mmengine's own start of a distributed run selects a CUDA device, whatever the backend, and hands
    its number to ``DistributedDataParallel``, which takes none for a model on the CPU. A process
    group that exists already is left as it is; ``env_cfg.dist_cfg.timeout`` (seconds) and
    ``model_wrapper_cfg`` hold as on a GPU.

    Args:
        config (Config): Of a run with ``launcher='pytorch'``, changed in place.
    """
    import torch

    if config.launcher != 'pytorch' or torch.cuda.is_available():
        return
    if not torch.distributed.is_initialized():
        seconds = config.get('env_cfg', {}).get('dist_cfg', {}).get('timeout')
        timeout = None if seconds is None else timedelta(seconds=seconds)
        torch.distributed.init_process_group(backend='gloo', timeout=timeout)
    wrapper = dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=config.get('find_unused_parameters', False),
    )
    wrapper.update(config.get('model_wrapper_cfg') or {})
    wrapper['device_ids'] = None
    config.model_wrapper_cfg = wrapper


def end_processes() -> None:
    """Take leave of the other processes.

    gloo's threads may still hold tensors of the last exchange, and abort an interpreter that is
    shutting down. They end with the last reference to the process group, and a wrapped model has
    one: the caller deletes its runner first.
    """
    import torch

    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
        gc.collect()  # a runner and its parts refer to each other

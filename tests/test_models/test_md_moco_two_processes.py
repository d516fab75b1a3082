# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Two processes with half a batch each are one process with the whole batch."""

import pytest

pytest.importorskip('mmpretrain')

SCRIPT = """
    import torch
    import torch.distributed as dist
    from mmengine.model import MMDistributedDataParallel
    from mmengine.optim import OptimWrapper
    from torch.distributed.nn.functional import all_gather
    from torch.nn.modules.batchnorm import _BatchNorm

    from muscle_mm.registry import MODELS


    class GatheredBatchNorm(_BatchNorm):
        '''What SyncBatchNorm computes; torch's own refuses to run without a GPU.'''

        def forward(self, input):
            if not dist.is_initialized():
                return super().forward(input)
            everyone = super().forward(torch.cat(all_gather(input)))
            return everyone.chunk(dist.get_world_size())[dist.get_rank()].clone()

        def _check_input_dim(self, input):
            pass


    def build(bn_splits, synchronised):
        torch.manual_seed(0)
        model = MODELS.build(
            dict(
                type='muscle_mm.MDMoCo',
                backbone=dict(
                    type='mmpretrain.ResNet', depth=18, base_channels=4, stem_channels=4,
                    out_indices=(3,), zero_init_residual=False,
                ),
                neck=dict(
                    type='mmpretrain.MoCoV2Neck', in_channels=32, hid_channels=8, out_channels=4
                ),
                queue_len=19, feature_dim=4, momentum=0.6, bn_splits=bn_splits,
                same_dataset_negatives=True,
            )
        )
        model.init_weights()
        model.updated_by_hook = True
        if synchronised:
            for module in model.modules():
                if isinstance(module, _BatchNorm):
                    module.__class__ = GatheredBatchNorm
        return model.train()


    def batches():
        generator = torch.Generator().manual_seed(1)
        for size in (16, 16, 10):
            views = [torch.randn(size, 3, 64, 64, generator=generator) for _ in range(2)]
            yield views, ['ab'[index % 3 == 0] for index in range(size)]


    def train(model, rank, world):
        losses = []
        plain = getattr(model, 'module', model)
        wrapper = OptimWrapper(torch.optim.SGD(plain.parameters(), 0.02))
        for views, dataset in batches():
            size = len(dataset) // world
            own = slice(rank * size, (rank + 1) * size)
            data = dict(inputs=[view[own] for view in views], dataset=dataset[own])
            losses.append(model.train_step(data, wrapper)['loss'].detach())
            plain.update()
        return torch.stack(losses)


    # BatchNorm of each process is the whole batch's with bn_splits=2: that compares the shuffle
    # across processes with the one on a device.
    kinds = {'shuffled': (2, False), 'synchronised': (1, True)}
    wholes = {kind: build(*options) for kind, options in kinds.items()}
    whole_losses = {kind: train(whole, 0, 1) for kind, whole in wholes.items()}

    dist.init_process_group('gloo')
    for kind, whole in wholes.items():
        half = build(1, synchronised=kind == 'synchronised')
        losses = train(MMDistributedDataParallel(half), dist.get_rank(), 2)
        dist.all_reduce(losses)
        assert torch.allclose(losses / 2, whole_losses[kind], atol=1e-5), (losses, whole_losses)
        for name, value in half.state_dict().items():
            # Without synchronisation each process keeps the running statistics of its own films.
            if kind == 'shuffled' and name.endswith(('_mean', '_var', '_tracked')):
                continue
            everyone = [torch.empty_like(value) for _ in range(2)]
            dist.all_gather(everyone, value.contiguous())
            assert torch.equal(everyone[0], everyone[1]), name
            assert torch.allclose(value, whole.state_dict()[name], atol=1e-4), name
        assert int(half.queue.position) == (16 + 16 + 10) % 19
    dist.barrier()
    dist.destroy_process_group()
"""


def test_two_halves_are_the_whole(run_two_processes):
    """Losses, weights (so gradients), momentum weights and queue, over three steps."""
    run_two_processes(SCRIPT)

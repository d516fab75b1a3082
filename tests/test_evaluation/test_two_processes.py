# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
SCRIPT = """
    import sys

    import torch
    from muscle_mm.evaluation import BinaryClassificationMetric, MultiTaskMetric

    torch.distributed.init_process_group('gloo')
    rank, world = torch.distributed.get_rank(), torch.distributed.get_world_size()

    def samples(seed, count):
        scores = torch.rand(count, generator=torch.Generator().manual_seed(seed))
        return [
            {'gt_label': torch.tensor([i % 2]), 'pred_score': torch.stack([1 - s, s])}
            for i, s in enumerate(scores)
        ]

    data = {'mura': samples(0, 7), 'pneumonia': samples(1, 5)}
    metric = MultiTaskMetric(
        {task: dict(type='muscle_mm.BinaryClassificationMetric') for task in data},
        collect_dir=sys.argv[1],
    )
    metric.dataset_meta = {
        'tasks': {task: {'classes': ('a', 'b'), 'size': len(items)} for task, items in data.items()}
    }
    for task, items in data.items():
        # as mmengine's sampler does: round robin, filled up from the front to equal length
        items = (items + items)[: -(-len(items) // world) * world]
        for item in items[rank::world]:
            metric.process({'task': [task]}, [item])
    measures = metric.evaluate(12)

    for task, items in data.items():
        alone = BinaryClassificationMetric()
        alone.process(None, items)
        expected = alone.compute_metrics(alone.results)
        for key, value in expected.items():
            assert measures.pop(f'{task}/binary/{key}') == value, (task, key)
    assert measures == {}
"""


def test_uneven_ranks_give_what_one_process_gives(run_two_processes, tmp_path):
    run_two_processes(SCRIPT, tmp_path / 'collected')

# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest

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


WITH_STUDIES = """
    import sys

    import torch
    from muscle_mm.evaluation import BinaryClassificationMetric

    torch.distributed.init_process_group('gloo')
    rank, world = torch.distributed.get_rank(), torch.distributed.get_world_size()

    films = [
        {
            'gt_label': torch.tensor([i % 3 == 0]),
            'pred_score': torch.tensor([1 - i / 9, i / 9]),
            'img_path': f'{i}.png',
            'patient_id': f'patient{i // 4}',
            'study': f'study{i // 2}',
        }
        for i in range(9)
    ]

    def build(**options):
        return BinaryClassificationMetric(threshold='youden', by_study=True, **options)

    alone = build()
    alone.process(None, films)
    expected = alone.compute_metrics(alone.results)

    # round robin; with padding as mmengine's sampler does, or with one film less on the second rank
    for number, padded in enumerate((films + films[:1], films)):
        metric = build(collect_dir=f'{sys.argv[1]}{number}')
        for film in padded[rank::world]:
            metric.process(None, [film])
        measures = metric.evaluate(len(films))
        assert measures == {f'binary/{key}': value for key, value in expected.items()}
        if rank == 0:
            assert metric.predictions.images == tuple(f'{i}.png' for i in range(9))
        else:
            assert metric.predictions is None
"""


def test_uneven_ranks_keep_order_patients_and_studies(run_two_processes, tmp_path):
    run_two_processes(WITH_STUDIES, tmp_path / 'collected')


ROWS_OF_FILMS = """
    import sys

    import numpy as np
    import torch
    from muscle_mm.evaluation import BoxAPMetric, LungSegmentationMetric

    torch.distributed.init_process_group('gloo')
    rank, world = torch.distributed.get_rank(), torch.distributed.get_world_size()
    generator = torch.Generator().manual_seed(0)

    def sample(number):
        masks = torch.randint(0, 2, (2, 1, 5, 7), generator=generator)
        boxes = torch.rand(6, 2, generator=generator) * 60
        boxes = torch.cat([boxes, boxes + 30], dim=1)
        return {
            'img_id': number,
            'img_path': f'{number}.png',
            'patient_id': f'patient{number // 2}',
            'ori_shape': (100, 100),
            'pred_sem_seg': {'data': masks[0]},
            'gt_sem_seg': {'data': masks[1]},
            'instances': [
                {'bbox': (box + 2).tolist(), 'bbox_label': i % 2, 'ignore_flag': 0}
                for i, box in enumerate(boxes[:3])
            ],
            'pred_instances': {
                'bboxes': boxes,
                'labels': torch.arange(6) % 2,
                'scores': torch.rand(6, generator=generator),
            },
        }

    films = [sample(number) for number in range(7)]
    for place, metric_type in enumerate((LungSegmentationMetric, BoxAPMetric)):
        classes = {'classes': ('background', 'lung')}
        alone = metric_type()
        alone.dataset_meta = classes
        alone.process(None, films)
        expected = alone.compute_metrics(alone.results)
        # round robin; padded as by mmengine's sampler, or with one film less on the second rank
        for number, padded in enumerate((films + films[:1], films)):
            metric = metric_type(collect_dir=f'{sys.argv[1]}{place}{number}')
            metric.dataset_meta = classes
            for film in padded[rank::world]:
                metric.process(None, [film])
            measures = metric.evaluate(len(films))
            assert measures == {f'{metric.prefix}/{key}': value for key, value in expected.items()}
            if rank == 0:
                assert metric.predictions.images == tuple(f'{i}.png' for i in range(7))
                assert metric.predictions.patients == alone.predictions.patients
                every = np.ones((1, 7), dtype=int)
                assert (
                    metric.predictions.main_scores(every) == alone.predictions.main_scores(every)
                )
            else:
                assert metric.predictions is None
"""


def test_uneven_ranks_keep_the_rows_of_films(run_two_processes, tmp_path):
    pytest.importorskip('mmseg', reason='needs mmsegmentation')
    pytest.importorskip('mmdet', reason='needs mmdetection')
    run_two_processes(ROWS_OF_FILMS, tmp_path / 'collected')

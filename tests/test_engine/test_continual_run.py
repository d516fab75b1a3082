# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Loop, hook, learning rate and memory together, under mmengine's runner."""

import json
from pathlib import Path

import pytest
import torch

from muscle_mm.registry import METRICS
from muscle_mm.schedule import restart_factor
from muscle_mm.utils.errors import UserError


def scalars(runner):
    lines = next(Path(runner.work_dir).glob('*/vis_data/scalars.json')).read_text().splitlines()
    return [json.loads(line) for line in lines]


def records(runner):
    """What was logged of each iteration."""
    return [record for record in scalars(runner) if 'lr' in record]


def logged(runner, key):
    return [record[key] for record in scalars(runner) if key in record]


def test_the_whole_schedule(run_continual):
    runner = run_continual()
    visits = runner.train_loop.visits
    assert runner.iter == runner.max_iters == visits[-1].end == 18
    assert [(visit.length, visit.task) for visit in visits[:3]] == [
        ({'chest': 4, 'bone': 3, 'hand': 2}[visit.task], visit.task) for visit in visits[:3]
    ]
    expected = [0.1 * restart_factor(i, visits, 1, 0.01, 0.5) for i in range(18)]
    assert logged(runner, 'lr') == pytest.approx(expected)

    scores = json.loads((Path(runner.work_dir) / 'continual_scores.json').read_text())
    assert [row['task'] for row in scores['visits']] == [visit.task for visit in visits]
    assert all(
        0 <= row['scores'][task] <= 100 for row in scores['visits'] for task in row['scores']
    )
    assert scores['summary']['forgetting'] is not None
    assert scores['summary']['backward_transfer'] is not None
    assert scores['summary']['forward_transfer'] is None  # nothing was validated before training
    assert logged(runner, 'continual/forgetting')[-1] == scores['summary']['forgetting']
    last = list(scores['visits'][-1]['scores'].values())
    assert scores['summary']['average_performance'] == pytest.approx(sum(last) / 3)


def test_memory_counts_from_the_second_visit_on(run_continual):
    runner = run_continual()
    # A teacher looks at every second step; until the visit ends, the log repeats its last distance.
    expected = [
        iteration
        for visit in runner.train_loop.visits[1:]
        for iteration in range(visit.begin, visit.end)
        if iteration - iteration % 2 >= visit.begin
    ]
    shown = ['memory.loss' in record for record in records(runner)]
    assert [iteration for iteration, yes in enumerate(shown) if yes] == expected
    teacher = runner.model.memory.teacher.state_dict()
    for name, value in runner.model.backbone.state_dict().items():
        assert torch.equal(teacher[name], value), name  # the run ends with the end of a visit


def test_a_line_of_the_log_holds_its_own_tasks_losses_alone(run_continual):
    runner = run_continual()
    for record, visit in zip(
        records(runner), [v for v in runner.train_loop.visits for _ in range(v.length)], strict=True
    ):
        named = {
            key.split('.')[0] for key in record if key.endswith('.loss') and 'memory' not in key
        }
        assert named == {visit.task}


def test_resuming_ends_with_the_same_weights(run_continual):
    whole = run_continual()
    checkpoint = Path(whole.work_dir) / 'iter_7.pth'  # in the middle of a visit
    resumed = run_continual(resume_from=checkpoint)
    assert logged(resumed, 'lr') == pytest.approx(logged(whole, 'lr')[7:])
    for name, value in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], value), name
    files = [Path(run.work_dir) / 'continual_scores.json' for run in (whole, resumed)]
    assert files[0].read_text() == files[1].read_text()


def test_a_checkpoint_is_tested_as_it_was_validated(run_continual):
    trained = run_continual()
    scores = json.loads((Path(trained.work_dir) / 'continual_scores.json').read_text())
    tester = run_continual(
        train=False,
        load_from=str(Path(trained.work_dir) / 'iter_18.pth'),
        test_dataloader=trained._val_loop.dataloader,
        test_evaluator=run_continual(train=False)._val_evaluator,
        test_cfg=dict(),
    )
    metrics = tester.test()
    assert {task: metrics[f'{task}/binary/auc'] for task in ('chest', 'bone', 'hand')} == (
        pytest.approx(scores['visits'][-1]['scores'])
    )
    assert not (Path(tester.work_dir) / 'continual_scores.json').exists()


def test_without_restarts_the_curve_is_monotone(run_continual):
    scheduler = [dict(type='muscle_mm.CyclicRestartLR', warmup_iters=2, restart=False)]
    rates = logged(
        run_continual(
            param_scheduler=scheduler, val_cfg=None, val_dataloader=None, val_evaluator=None
        ),
        'lr',
    )
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[-1] < 0.01


def test_validation_can_be_rarer(run_continual):
    runner = run_continual(train_cfg=dict(type='muscle_mm.ContinualTrainLoop', val_interval=4))
    scores = json.loads((Path(runner.work_dir) / 'continual_scores.json').read_text())
    assert [row['visit'] for row in scores['visits']] == [3, 5]
    assert scores['summary']['average_performance'] is not None
    assert scores['summary']['backward_transfer'] is None
    assert (Path(runner.work_dir) / 'continual_scores.png').is_file()


def hook(**arguments):
    names = ('chest', 'bone', 'hand')
    keys = arguments.pop('score_keys', {name: 'binary/auc' for name in names})
    return [dict(type='muscle_mm.ContinualMultiTaskHook', score_keys=keys, **arguments)]


def checkpoints(**arguments):
    return dict(checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=5, **arguments))


def test_the_best_backbone_is_kept_and_forward_transfer_is_measured(run_continual):
    runner = run_continual(
        custom_hooks=hook(validate_before_training=True),
        default_hooks=checkpoints(save_best='continual/average_performance', rule='greater'),
    )
    work_dir = Path(runner.work_dir)
    content = json.loads((work_dir / 'continual_scores.json').read_text())
    assert set(content['before']) == {'chest', 'bone', 'hand'}
    assert content['summary']['forward_transfer'] is not None
    averages = [sum(row['scores'].values()) / 3 for row in content['visits']]
    # before the third visit, a task has not been trained
    best = max(range(2, len(averages)), key=averages.__getitem__)
    assert content['best_visit'] == best
    name = f'best_continual_average_performance_iter_{runner.train_loop.visits[best].end}.pth'
    assert content['best_checkpoint'] == name
    assert [path.name for path in work_dir.glob('best_*')] == [name]
    saved = torch.load(work_dir / name, weights_only=False)
    # the checkpoint holds the scores of its own visit
    assert str(best) in saved['message_hub']['runtime_info']['continual_scores']['rows']
    picture = next(work_dir.glob('*/vis_data/vis_image/continual_scores_*.png'))
    assert picture.stat().st_size > 0


def test_a_mistyped_metric_is_found_before_training_if_that_validates(run_continual):
    keys = dict(chest='wrong')
    runner = run_continual(
        train=False, custom_hooks=hook(score_keys=keys, validate_before_training=True)
    )
    message = r"score_keys\['chest'\]: 'chest/wrong' is not .* \['chest/binary/accuracy'"
    with pytest.raises(UserError, match=message):
        runner.train()
    assert runner.iter == 0


@pytest.mark.parametrize('chest', ['binary/wrong', 'binary/auc'])
def test_a_score_that_is_missing_or_not_a_number_does_not_end_the_run(
    run_continual, monkeypatch, chest
):
    if chest == 'binary/auc':
        metric = METRICS.get('muscle_mm.BinaryClassificationMetric')
        monkeypatch.setattr(metric, 'compute_metrics', lambda *_: dict(auc=float('nan')))
    runner = run_continual(
        custom_hooks=hook(score_keys=dict(chest=chest, bone='binary/auc')),
        default_hooks=checkpoints(save_best='continual/average_performance', rule='greater'),
    )
    assert runner.iter == runner.max_iters
    text = (Path(runner.work_dir) / 'continual_scores.json').read_text()
    content = json.loads(text, parse_constant=pytest.fail)  # NaN is no JSON
    assert content['visits'][-1]['scores']['chest'] is None
    assert content['summary']['average_performance'] is None
    assert content['best_checkpoint'] is None


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (
            dict(train_cfg=dict(by_epoch=False, max_iters=2, val_interval=10)),
            r"needs train_cfg=dict\(type='muscle_mm\.ContinualTrainLoop'\)",
        ),
        (
            dict(
                custom_hooks=[
                    dict(type='muscle_mm.ContinualMultiTaskHook', score_keys=dict(foot='a'))
                ]
            ),
            r"score_keys names \['foot'\]",
        ),
        (
            dict(default_hooks=checkpoints(save_best='continual/average', rule='greater')),
            r"save_best='continual/average'.* the measures are continual/average_performance, ",
        ),
        (
            dict(
                custom_hooks=[dict(type='muscle_mm.ContinualMultiTaskHook')],
                default_hooks=checkpoints(save_best='continual/forgetting', rule='less'),
            ),
            r'the measures are none \(score_keys is empty\)',
        ),
    ],
)
def test_parts_that_do_not_fit_are_explained(run_continual, changes, message):
    runner = run_continual(train=False, **changes)
    with pytest.raises(UserError, match=message):
        runner.train()


def test_loop_needs_the_batch_sampler(run_continual):
    runner = run_continual(train=False)
    loader = dict(runner._train_dataloader)
    del loader['batch_sampler']
    runner._train_dataloader = loader
    with pytest.raises(UserError, match=r'CyclicTaskBatchSampler.* got BatchSampler'):
        runner.train()


def test_stepping_by_epoch_is_refused(run_continual):
    scheduler = [dict(type='muscle_mm.CyclicRestartLR', by_epoch=True)]
    with pytest.raises(UserError, match='set by_epoch=False'):
        run_continual(param_scheduler=scheduler)


def test_other_weights_bring_no_memory(run_continual):
    first = run_continual()
    checkpoint = Path(first.work_dir) / 'iter_18.pth'
    again = run_continual(load_from=str(checkpoint))
    visit = again.train_loop.visits[0]
    assert not any('memory.loss' in record for record in records(again)[: visit.length])
    assert 'memory.loss' in records(again)[-1]


def test_rates_of_single_layers_fit_shared_weights(run_continual):
    paramwise = dict(norm_decay_mult=0.0, custom_keys={'backbone': dict(lr_mult=0.1)})
    runner = run_continual(
        optim_wrapper=dict(
            optimizer=dict(type='SGD', lr=0.1, weight_decay=0.1), paramwise_cfg=paramwise
        )
    )
    groups = runner.optim_wrapper.optimizer.param_groups
    shared = {id(parameter) for parameter in runner.model.backbone.parameters()}
    rates = {
        (id(parameter) in shared): group['initial_lr']
        for group in groups
        for parameter in group['params']
    }
    assert rates == {True: pytest.approx(0.01), False: pytest.approx(0.1)}
